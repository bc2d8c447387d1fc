/** Text with the characters that mean something in HTML written out. */
export const plain = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
