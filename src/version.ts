/** The version of this module. */
export const VERSION = "0.1.0";
