/** The page of `rcsp ui`: connects its parts with the bridge. */

import { CommandBox } from "./elements/command_box.ts";
import { DeviceCard } from "./elements/device_card.ts";
import { DeviceList } from "./elements/device_list.ts";
import { HandList } from "./elements/hand_list.ts";
import { HandView } from "./elements/hand_view.ts";
import { LedControl } from "./elements/led_control.ts";
import { MessageList } from "./elements/message_list.ts";
import { Notice } from "./elements/notice.ts";
import { Panel } from "./elements/panel.ts";
import { StatusBar } from "./elements/status_bar.ts";
import { TripStrip } from "./elements/trip_strip.ts";
import { DeviceStore } from "./model/device_store.ts";
import { Session } from "./model/session.ts";
import { followToken, takeToken } from "./model/token.ts";

const ELEMENTS = {
  "rcsp-bar": StatusBar,
  "rcsp-command": CommandBox,
  "rcsp-device": DeviceCard,
  "rcsp-devices": DeviceList,
  "rcsp-hand": HandView,
  "rcsp-hands": HandList,
  "rcsp-led": LedControl,
  "rcsp-log": MessageList,
  "rcsp-notice": Notice,
  "rcsp-trip": TripStrip,
};

/** Milliseconds that the panels may be hidden. */
const LONGEST_BLANK = 500;

for (const [name, constructor] of Object.entries(ELEMENTS)) {
  customElements.define(name, constructor as CustomElementConstructor);
}
const session = new Session();
const devices = new DeviceStore(session);
for (const panel of document.querySelectorAll("*")) {
  if (panel instanceof Panel) panel.attach(session, devices);
}
// Shown once it is known what there is, so that nothing jumps.
const show = (): void => void (document.body.dataset["ready"] = "");
devices.on("change", () => {
  if (!devices.isLive || devices.isDescribed) show();
});
setTimeout(show, LONGEST_BLANK);
session.open(takeToken());
followToken();
