// SPDX-License-Identifier: MIT
//
// Answers /app with what it runs on; nginx is before it, so it listens on the loopback alone.
"use strict";
const http = require("http");

const server = http.createServer((request, response) => {
	const path = request.url.split("?", 1)[0];
	const found = path === "/app";
	response.writeHead(found ? 200 : 404, { "Content-Type": "application/json" });
	response.end(
		JSON.stringify(found ? { app: "web-app", node: process.version, user: process.getuid() } : { error: "only /app is here" }) + "\n",
	);
});

process.on("SIGTERM", () => server.close(() => process.exit(0)));
server.listen(3000, "127.0.0.1");
