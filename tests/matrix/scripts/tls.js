// SPDX-License-Identifier: Apache-2.0
// Node's https. tls.js server|client CERT KEY CA PORT [VERSION]
'use strict';
const fs = require('fs');
const https = require('https');

const [role, cert, key, ca, port, version] = process.argv.slice(2);
const tls = {
  cert: fs.readFileSync(cert),
  key: fs.readFileSync(key),
  ca: fs.readFileSync(ca),
};

if (role === 'server') {
  https.createServer({ ...tls, requestCert: true, rejectUnauthorized: true },
    (_request, response) => response.end('served\n'),
  ).listen(Number(port), '127.0.0.1');
} else {
  https.get({ ...tls, host: 'localhost', port: Number(port), family: 4,
    minVersion: `TLSv${version}`, maxVersion: `TLSv${version}` },
  (response) => response.pipe(process.stdout));
}
