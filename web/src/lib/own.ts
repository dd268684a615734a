/** What a table holds for a word that others chose: never what every object has besides ("constructor"). */
export function own<T>(table: Record<string, T>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
