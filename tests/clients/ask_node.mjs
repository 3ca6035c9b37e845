// Ask through Node's client: FILE QUERY; rows on standard output.
import { DuckDBInstance } from "@duckdb/node-api";

const [file, query] = process.argv.slice(2);
const instance = await DuckDBInstance.create(file, { access_mode: "READ_ONLY" });
const connection = await instance.connect();
const reader = await connection.runAndReadAll(query);
process.stdout.write(JSON.stringify(reader.getRowsJson()));
