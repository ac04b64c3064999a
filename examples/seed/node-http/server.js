// Greets over HTTP. The greeting is $GREETING; SIGHUP counts as a reload, SIGTERM lets open requests end first.
const http = require('http');

const port = Number(process.env.PORT || 4000);
const greeting = process.env.GREETING || 'hello';
let reloads = 0;

const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ greeting, pid: process.pid, reloads }) + '\n');
});
process.on('SIGHUP', () => { reloads += 1; });
process.on('SIGTERM', () => server.close(() => process.exit(0)));
server.listen(port, '127.0.0.1', () => console.log(`listening on port ${port}`));
