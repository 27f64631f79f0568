/** Modules of their own for each variant, so that none is slowed by the type feedback of the others. */

let instances = 0;

/** Loads one more instance of a module; the modules that it imports are shared. */
export async function ownModule<T>(path: string): Promise<T> {
  return await import(new URL(`../../${path}?instance=${++instances}`, import.meta.url).href);
}
