/**
 * Discovery messages of Home Assistant's MQTT integration.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { escapeUnprintable, type JsonObject, VERSION } from "@rcsp/rcsp";
import { PRESS_TYPES } from "@rcsp/rcsp/server";
import type { Broker } from "./broker.ts";
import type { Topics } from "./topics.ts";

/** Home Assistant's default prefix. */
const PREFIX = "homeassistant";
/** The entities of a device, each with its component. */
const ENTITIES = { button: "event", led: "light", battery: "sensor" } as const;
const NAMES = ["button", "led", "battery"] as const;
/** Most characters of a name. */
const LONGEST_NAME = 80;
const PLAIN_KEY = /^battery\w{0,30}$/i;

/** Announces the entities of each device. */
export class HomeAssistant {
  readonly #broker: Broker;
  readonly #topics: Topics;
  readonly #hasLed: boolean;
  /** The last message of each topic. */
  readonly #announced = new Map<string, string>();

  constructor(broker: Broker, topics: Topics, hasLed: boolean) {
    this.#broker = broker;
    this.#topics = topics;
    this.#hasLed = hasLed;
  }

  /** Announces a device by its level of the topic. `name` and `info` are foreign. */
  announce(level: string, name: string, info: JsonObject): void {
    const id = entityId(`${this.#topics.base}/${level}`);
    const common = {
      availability: [
        { topic: this.#topics.status },
        { topic: this.#topics.of(level, "availability") },
      ],
      availability_mode: "all",
      device: {
        identifiers: [id],
        name: shown(`Rokoko ${name}`),
        manufacturer: "Rokoko",
        ...typeOf(info),
      },
      origin: { name: "rcsp", sw_version: VERSION },
    };
    const battery = batteryKey(info);
    const entities: Record<keyof typeof ENTITIES, JsonObject | false> = {
      button: {
        name: "Button",
        device_class: "button",
        state_topic: this.#topics.of(level, "button"),
        event_types: [...PRESS_TYPES],
        value_template: "{{ {'event_type': value_json.type, 'time': value_json.time} | to_json }}",
      },
      led: this.#hasLed && {
        name: "LED",
        schema: "json",
        command_topic: this.#topics.of(level, "led/set"),
        supported_color_modes: ["rgb"],
        brightness: true,
      },
      battery: battery !== undefined && {
        name: "Battery",
        device_class: "battery",
        state_class: "measurement",
        unit_of_measurement: "%",
        entity_category: "diagnostic",
        state_topic: this.#topics.of(level, "info"),
        value_template: `{{ value_json['${battery}'] }}`,
      },
    };
    for (const name of NAMES) {
      const entity = entities[name] && { ...common, unique_id: `${id}_${name}`, ...entities[name] };
      this.#publish(level, name, entity);
    }
  }

  /** Removes the entities of a device. */
  remove(level: string): void {
    for (const name of NAMES) this.#announced.delete(this.#publish(level, name, false));
  }

  /** An entity that is not there any more, or not allowed, is removed. Returns the topic. */
  #publish(level: string, name: keyof typeof ENTITIES, config: JsonObject | false): string {
    const id = entityId(`${this.#topics.base}/${level}`);
    const topic = `${PREFIX}/${ENTITIES[name]}/${id}/${name}/config`;
    const payload = config === false ? "" : JSON.stringify(config);
    if (this.#announced.get(topic) !== payload) this.#broker.retain(topic, payload);
    this.#announced.set(topic, payload);
    return topic;
  }
}

/** The topic of a device as an id of Home Assistant, which takes letters, digits, `_` and `-`. */
function entityId(topic: string): string {
  const plain = topic.replace(/[^\w-]+/g, "_").slice(0, 60);
  return `${plain}_${createHash("sha256").update(topic).digest("hex").slice(0, 8)}`;
}

/** The key of `GetDeviceInfo` that looks like a battery in percent: no public text names one. */
function batteryKey(info: JsonObject): string | undefined {
  return Object.keys(info).find((key) => {
    const value = info[key];
    return PLAIN_KEY.test(key) && typeof value === "number" && value >= 0 && value <= 100;
  });
}

function typeOf(info: JsonObject): { model: string } | undefined {
  const type = Object.hasOwn(info, "Type") ? info["Type"] : undefined;
  return typeof type === "string" && type !== "" ? { model: shown(type) } : undefined;
}

function shown(text: string): string {
  return escapeUnprintable(text).slice(0, LONGEST_NAME);
}
