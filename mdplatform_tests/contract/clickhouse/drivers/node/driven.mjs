// ClickHouse's client for Node: compression both ways, rows, parameters, errors.
import { createClient } from "@clickhouse/client";

const [address, username, password] = process.argv.slice(2);
const client = createClient({ url: `http://${address}`, username, password, compression: { request: true, response: true } });
await client.command({ query: "CREATE TABLE of_node (n UInt32, price Float64, name String, at DateTime64(3, 'UTC'), gone Nullable(Int64)) ENGINE = MergeTree ORDER BY n" });
const values = Array.from({ length: 1000 }, (_, n) => ({ n, price: 60000.1 + n, name: `it's ${n}`, at: 1700000000 + n, gone: n % 2 ? n : null }));
await client.insert({ table: "of_node", values, format: "JSONEachRow" });
const asked = await client.query({ query: "SELECT count() AS c, sum(n) AS s, countIf(gone IS NULL) AS u FROM of_node WHERE n < {most:UInt32}", query_params: { most: 1000 }, format: "JSONEachRow" });
const [{ c, s, u }] = await asked.json();
console.log(c, s, u);
let sum = 0;
const many = await client.query({ query: "SELECT number FROM numbers(300000)", format: "JSONEachRow" });
for await (const rows of many.stream()) for (const row of rows) sum += Number(row.json().number);
console.log(sum);
await client.query({ query: "SELECT nothing FROM of_node" }).then(
  () => console.log("no error"),
  (error) => console.log(error.code === "47" ? "an error as it is" : `another error: ${error}`),
);
await client.close();
