/** Tests in a browser, over the real processes: each has its own, and the browser may complain of nothing. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';

import { House } from './house.js';
import { Stage, launch } from './stage.js';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** A test. `rooms` are room files in place of the demonstration's, or beside them. */
export function scene(name, body, rooms) {
  test(name, { timeout: 120_000 }, async () => {
    const stage = new Stage(browser, await House.start(rooms));
    try {
      await body(stage);
      assert.deepEqual(stage.complaints, []);
    } catch (error) {
      throw new Error(error.message + (await stage.seen()), { cause: error });
    } finally {
      await stage.close();
    }
  });
}
