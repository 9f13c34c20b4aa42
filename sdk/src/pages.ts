import type { Page } from './wire.ts';

/** Every item of a list from the page of `cursor` on, or the first; a page is asked for once it is needed. */
export async function* itemsOf<Item>(
  ask: (cursor: string | undefined) => Promise<Page<Item>>,
  cursor?: string,
): AsyncGenerator<Item, void, void> {
  let next: string | null | undefined = cursor;
  while (next !== null) {
    const page: Page<Item> = await ask(next);
    yield* page.data;
    next = page.next;
  }
}
