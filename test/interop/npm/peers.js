// Clients of npm, each of which gets one page.
//
//   node peers.js httpntlm|axios-ntlm URL USER DOMAIN PASSWORD
//   node peers.js kerberos URL SERVICE            the account is the mechanism's own; then it sends a sealed
//                                                 message, and opens the answer
//
// Each prints "STATUS BODY". The packages are found through NODE_PATH.
'use strict';

const http = require('http');

const say = (status, body) => console.log(`${status} ${String(body).trim()}`);
const fail = (error) => {
  console.log(`error ${error.message}`);
  process.exit(1);
};

function httpntlm(url, username, domain, password) {
  const options = { url, username, password, domain, workstation: 'WKS' };
  require('httpntlm').get(options, (error, answer) => (error ? fail(error) : say(answer.statusCode, answer.body)));
}

function axiosNtlm(url, username, domain, password) {
  const { NtlmClient } = require('axios-ntlm');
  NtlmClient({ username, password, domain, workstation: 'WKS' }, { proxy: false })
    .get(url)
    .then((answer) => say(answer.status, answer.data))
    .catch((error) => (error.response ? say(error.response.status, error.response.data) : fail(error)));
}

function ask(url, agent, headers, sent) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', agent, headers }, (answer) => {
      let body = '';
      answer.setEncoding('latin1');
      answer.on('data', (part) => { body += part; });
      answer.on('end', () => {
        const offered = (answer.headers['www-authenticate'] || '').match(/^Negotiate (\S+)/);
        resolve({ status: answer.statusCode, body, token: offered ? offered[1] : '' });
      });
    });
    request.on('error', reject);
    request.end(sent);
  });
}

async function kerberosClient(url, service) {
  const kerberos = require('kerberos');
  const client = await kerberos.initializeClient(service, {
    mechOID: kerberos.GSS_MECH_OID_SPNEGO,
    gssFlags: kerberos.GSS_C_INTEG_FLAG | kerberos.GSS_C_CONF_FLAG | kerberos.GSS_C_MUTUAL_FLAG,
  });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let answer = { token: '' };
  do {
    answer = await ask(url, agent, { Authorization: `Negotiate ${await client.step(answer.token)}` });
  } while (answer.status === 401 && answer.token && !client.contextComplete);
  if (answer.token && answer.status === 200 && !client.contextComplete) {
    await client.step(answer.token);
  }
  if (!client.contextComplete || answer.status !== 200) {
    agent.destroy();
    say(answer.status, answer.body);
    return;
  }
  const user = answer.body.trim();
  // What it wraps is always SASL's choice of a layer: four bytes, the first of which it makes 1.
  const sealed = await client.wrap(Buffer.from('kept').toString('base64'), { protect: true });
  const hidden = !Buffer.from(sealed, 'base64').includes('ept');
  answer = await ask(`${url}turned-round`, agent, {}, Buffer.from(sealed, 'base64'));
  agent.destroy();
  const opened = await client.unwrap(Buffer.from(answer.body, 'latin1').toString('base64'));
  say(answer.status, `${user}, ${hidden ? 'sealed' : 'readable'} ${Buffer.from(opened, 'base64').toString('hex')}`);
}

const roles = {
  httpntlm,
  'axios-ntlm': axiosNtlm,
  kerberos: kerberosClient,
};
const [role, ...rest] = process.argv.slice(2);
Promise.resolve(roles[role](...rest)).catch(fail);
