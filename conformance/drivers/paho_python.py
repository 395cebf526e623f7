"""Drives Eclipse Paho for Python (`pip install paho-mqtt`): squall conform --client -- python3 conformance/drivers/paho_python.py

docs/CLIENTS.md says what the lines mean.
"""

import os
import sys
import threading
from urllib.parse import quote_from_bytes, unquote

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

V5 = os.environ["SQUALL_MQTT"] == "5.0"
CONNECT = {
    "session_expiry": "SessionExpiryInterval",
    "receive_maximum": "ReceiveMaximum",
    "topic_alias_maximum": "TopicAliasMaximum",
    "maximum_packet_size": "MaximumPacketSize",
    "request_problem_information": "RequestProblemInformation",
}
PUBLISH = {
    "message_expiry": "MessageExpiryInterval",
    "topic_alias": "TopicAlias",
    "response_topic": "ResponseTopic",
    "content_type": "ContentType",
}
NUMBERS = {*CONNECT, "message_expiry", "topic_alias"}
client = None
saying = threading.RLock()


def say(line):
    with saying:  # callbacks come from another thread
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def properties(packet_type, names, words):
    if not V5:
        return None
    made = Properties(packet_type)
    for word, name in names.items():
        if word in words:
            setattr(made, name, int(words[word]) if word in NUMBERS else words[word])
    return made


def connect(words):
    global client
    if client is not None:
        client.disconnect()
        client.loop_stop()
    options = {} if V5 else {"clean_session": words["clean_start"] == "1"}
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2,
        client_id=words["client_id"],
        protocol=mqtt.MQTTv5 if V5 else mqtt.MQTTv311,
        transport="websockets" if "websocket" in words else "tcp",
        **options,
    )
    client.reconnect_delay_set(1, 1)
    if "websocket" in words:
        client.ws_set_options(path=words["websocket"])
    if "user_name" in words or "password" in words:
        client.username_pw_set(words.get("user_name"), words.get("password"))
    if "will_topic" in words:
        will = (words["will_topic"], words["will_payload"], int(words["will_qos"]), words["will_retain"] == "1")
        client.will_set(*will)
    client.on_connect = lambda _c, _u, _f, code, _p: say("disconnected" if code.is_failure else "connected")
    client.on_disconnect = lambda *_: say("disconnected")
    client.on_message = lambda _c, _u, message: say(
        f"message topic={quote_from_bytes(message.topic.encode())} payload={quote_from_bytes(message.payload)}"
    )
    options = {}
    if V5:
        options["clean_start"] = words["clean_start"] == "1"
        options["properties"] = properties(PacketTypes.CONNECT, CONNECT, words)
    client.connect_async(os.environ["SQUALL_HOST"], int(os.environ["SQUALL_PORT"]), int(words["keep_alive"]), **options)
    client.loop_start()


def publish(words):
    made = properties(PacketTypes.PUBLISH, PUBLISH, words)
    client.publish(words["topic"], words["payload"], int(words["qos"]), words.get("retain") == "1", properties=made)


def subscribe(words):
    qos = int(words["qos"])
    if V5:
        client.subscribe(words["filter"], options=SubscribeOptions(qos=qos, noLocal=words.get("no_local") == "1"))
    else:
        client.subscribe(words["filter"], qos)


def unsubscribe(words):
    client.unsubscribe(words["filter"])


def disconnect(words):
    if "reason_code" in words:
        client.disconnect(reasoncode=mqtt.ReasonCode(PacketTypes.DISCONNECT, identifier=int(words["reason_code"])))
    else:
        client.disconnect()


def reconnect(words):
    """It comes back by itself."""


VERBS = [connect, publish, subscribe, unsubscribe, disconnect, reconnect]
KEYS = "client_id clean_start keep_alive user_name password will_topic will_payload will_qos will_retain topic qos retain"
KEYS += " payload filter no_local reason_code websocket"
say(" ".join(["squall-driver 1", *(verb.__name__ for verb in VERBS), KEYS, *CONNECT, *PUBLISH]))
for line in sys.stdin:
    verb, *pairs = line.rstrip("\n").split(" ")
    words = {key: unquote(value) for key, value in (pair.split("=", 1) for pair in pairs)}
    try:
        next(known for known in VERBS if known.__name__ == verb)(words)
        say("ok")
    except Exception as why:  # whatever the client refuses
        say(f"error {why!r}".replace("\n", " "))
os._exit(0)
