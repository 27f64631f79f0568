/** A part of the page. */

import type { DeviceStore } from "../model/device_store.ts";
import type { Session } from "../model/session.ts";

/** A custom element that shows something of the session. */
export abstract class Panel extends HTMLElement {
  /** Called once, before the session connects. */
  abstract attach(session: Session, devices: DeviceStore): void;
}
