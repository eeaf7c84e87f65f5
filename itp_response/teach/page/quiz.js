export function quiz() {}
