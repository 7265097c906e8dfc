// Loaded into Node programs by `cobro run` and `cobro env`: connections for the providers' hosts go
// to Cobro. Versions of Node that know NODE_USE_ENV_PROXY do the same by themselves for most
// programs; this also reaches those that bring an agent of their own, and older versions.
'use strict';

const net = require('node:net');
const tls = require('node:tls');

const { hosts, address, port, offline } = SETTINGS;
const listed = new Set(hosts);
const local = new Set(['localhost', '127.0.0.1', '::1', address]);

const bare = (host) => String(host).toLowerCase().replace(/\.$/, '');

// tls.connect(options), (port, options), (port, host, options), each with a callback or without;
// a path stands for a socket of this machine.
function optionsOf(args) {
  const options = {};
  for (const argument of args) {
    if (argument !== null && typeof argument === 'object') Object.assign(options, argument);
  }
  const byPort = typeof args[0] === 'number' || (typeof args[0] === 'string' && /^\d+$/.test(args[0]));
  if (byPort) options.port = Number(args[0]);
  if (byPort && typeof args[1] === 'string') options.host = args[1];
  return options;
}

const connect = tls.connect;
tls.connect = function (...args) {
  const options = optionsOf(args);
  const name = bare(options.host ?? options.servername ?? 'localhost');
  // A socket that is already there leads where it leads: through a proxy, for instance.
  if (options.socket || options.path || !listed.has(name)) return connect.apply(this, args);
  const callback = args.find((argument) => typeof argument === 'function');
  // Cobro's port takes TLS as well; the name inside says whom it is for.
  const turned = { ...options, host: address, port, servername: options.servername || name, lookup: undefined };
  return connect.call(this, turned, callback);
};

if (offline) {
  const connectSocket = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    const given = Array.isArray(args[0]) ? args[0] : args;
    const options = optionsOf(given);
    const host = bare(options.host ?? 'localhost');
    const isLocal = options.path || (typeof given[0] === 'string' && options.port === undefined);
    if (isLocal || local.has(host)) return connectSocket.apply(this, args);
    const error = new Error(`cobro run --offline: ${host} is not reached`);
    error.code = 'ECONNREFUSED';
    process.nextTick(() => this.destroy(error));
    return this;
  };
}

require('node:module').syncBuiltinESMExports();
