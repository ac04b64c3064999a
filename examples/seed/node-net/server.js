// Echoes what it is sent, on port 3000.
const net = require('net');

const server = net.createServer((socket) => {
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});
server.listen(3000, '127.0.0.1', () => console.log('listening on port 3000'));
