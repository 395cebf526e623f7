// Drives MQTT.js (`npm install mqtt`): squall conform --client -- node conformance/drivers/mqttjs.js
// docs/CLIENTS.md says what the lines mean.
'use strict'

const readline = require('node:readline')
const mqtt = require('mqtt')

const V5 = process.env.SQUALL_MQTT === '5.0'
const CONNECT = {
  session_expiry: 'sessionExpiryInterval',
  receive_maximum: 'receiveMaximum',
  topic_alias_maximum: 'topicAliasMaximum',
  maximum_packet_size: 'maximumPacketSize',
  request_problem_information: 'requestProblemInformation'
}
const PUBLISH = {
  message_expiry: 'messageExpiryInterval',
  topic_alias: 'topicAlias',
  response_topic: 'responseTopic',
  content_type: 'contentType'
}
const NUMBERS = [...Object.keys(CONNECT), 'message_expiry', 'topic_alias']
let client

const say = (line) => process.stdout.write(`${line}\n`)

const escaped = (bytes) => Array.from(bytes, (byte) => '%' + byte.toString(16).padStart(2, '0')).join('')

const value = (word, text) => {
  if (word === 'request_problem_information') return text === '1'
  return NUMBERS.includes(word) ? Number(text) : text
}

const properties = (names, words) => {
  if (!V5) return {}
  const known = Object.keys(names).filter((word) => word in words)
  const pairs = known.map((word) => [names[word], value(word, words[word])])
  return { properties: Object.fromEntries(pairs) }
}

const verbs = {
  connect (words) {
    if (client) client.end(true)
    const will = {
      topic: words.will_topic,
      payload: words.will_payload,
      qos: Number(words.will_qos),
      retain: words.will_retain === '1'
    }
    client = mqtt.connect({
      ...('websocket' in words ? { protocol: 'ws', path: words.websocket } : {}),
      host: process.env.SQUALL_HOST,
      port: Number(process.env.SQUALL_PORT),
      protocolVersion: V5 ? 5 : 4,
      clientId: words.client_id,
      clean: words.clean_start === '1',
      keepalive: Number(words.keep_alive),
      username: words.user_name,
      password: words.password,
      autoAssignTopicAlias: 'topic_aliases' in words,
      reconnectPeriod: 50,
      ...('will_topic' in words ? { will } : {}),
      ...properties(CONNECT, words)
    })
    client.on('connect', () => say('connected'))
    client.on('close', () => say('disconnected'))
    client.on('error', () => {})
    client.on('message', (topic, payload) => say(`message topic=${escaped(Buffer.from(topic))} payload=${escaped(payload)}`))
  },
  publish (words) {
    const options = { qos: Number(words.qos), retain: words.retain === '1', ...properties(PUBLISH, words) }
    return new Promise((resolve, reject) => {
      client.publish(words.topic, words.payload, options, (why) => why && reject(why))
      setImmediate(resolve)
    })
  },
  subscribe (words) {
    const options = { qos: Number(words.qos), ...(V5 ? { nl: words.no_local === '1' } : {}) }
    return new Promise((resolve, reject) => {
      client.subscribe(words.filter, options, (why) => why && reject(why))
      setImmediate(resolve)
    })
  },
  unsubscribe (words) {
    return new Promise((resolve, reject) => {
      client.unsubscribe(words.filter, (why) => why && reject(why))
      setImmediate(resolve)
    })
  },
  disconnect (words) {
    client.end(false, 'reason_code' in words ? { reasonCode: Number(words.reason_code) } : {})
  },
  // It comes back by itself.
  reconnect () {}
}

const keys = 'client_id clean_start keep_alive user_name password will_topic will_payload will_qos will_retain topic_aliases ' +
  'topic qos retain payload filter no_local reason_code websocket'
say(['squall-driver 1', ...Object.keys(verbs), keys, ...Object.keys(CONNECT), ...Object.keys(PUBLISH)].join(' '))

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const [verb, ...pairs] = line.split(' ')
  const words = Object.fromEntries(pairs.map((pair) => {
    const [key, value] = pair.split('=')
    return [key, decodeURIComponent(value)]
  }))
  try {
    await verbs[verb](words)
    say('ok')
  } catch (why) {
    say(`error ${why}`.replace(/\n/g, ' '))
  }
}).on('close', () => process.exit(0))
