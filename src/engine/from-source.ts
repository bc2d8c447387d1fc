/** Whether the modules are the source, each in its own folder; built, all JavaScript lies in one (tools/bundle.ts). */
export const fromSource: boolean = import.meta.url.endsWith(".ts");
