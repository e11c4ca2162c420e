// The limit: what workerd and SQLite allow at all. A bare Worker in front of a bare
// object of the shape that ours has: one object, one table, one statement a request.
//
// It has no log, no check, no error of its own and no guard, on purpose: everything
// that ours does beyond this shows in the ratio. It is no example of how to write a
// Worker, and the benchmark's own `/fill` apart it has nothing that is not timed.

export default {
  fetch(request, env) {
    if (request.url.endsWith("/unauthorised")) return new Response(null, { status: 401 });
    return env.LIMIT.get(env.LIMIT.idFromName("limit")).fetch(request);
  },
};

const json = (text, status = 200) =>
  new Response(text, { status, headers: { "content-type": "application/json" } });

export class Limit {
  constructor(state) {
    this.sql = state.storage.sql;
    this.sql.exec("CREATE TABLE IF NOT EXISTS item (id TEXT PRIMARY KEY, document TEXT) STRICT");
  }

  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/fill") return this.fill(searchParams, await request.text());
    if (request.method === "POST") return this.insert(await request.text());
    if (pathname === "/page") return this.page(searchParams.get("after"));
    return this.read(pathname.slice("/item/".length));
  }

  read(id) {
    return json(this.sql.exec("SELECT document FROM item WHERE id = ?", id).one().document);
  }

  // Ids grow with the time, as ours do, so that the index grows at its end.
  insert(document) {
    const id = `${Date.now()}-${crypto.randomUUID()}`;
    this.sql.exec("INSERT INTO item (id, document) VALUES (?, ?)", id, document);
    return json(document, 201);
  }

  page(after) {
    const statement = "SELECT document FROM item WHERE id > ? ORDER BY id LIMIT 100";
    const documents = this.sql.exec(statement, after).raw().toArray();
    return json(`[${documents.join(",")}]`);
  }

  fill(range, document) {
    const statement = `
      WITH RECURSIVE n (i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      INSERT INTO item (id, document) SELECT printf('%036d', i), ? FROM n`;
    this.sql.exec(statement, Number(range.get("from")), Number(range.get("to")), document);
    return json("{}");
  }
}
