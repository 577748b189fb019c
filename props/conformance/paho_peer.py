"""Paho clients, driven by lines of JSON.

Each line on standard input orders one thing of one client; each line on standard output tells one
thing that happened. A client lives in a thread of its own, which also carries out its orders: two
threads, one that publishes and one that serves, would write across each other. It never connects
again by itself, because the rows want to see connections end.
"""

import base64
import json
import queue
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

LEVELS = {3: mqtt.MQTTv31, 4: mqtt.MQTTv311, 5: mqtt.MQTTv5}

orders = {}
writing = threading.Lock()


def tell(name, event, **more):
    with writing:
        sys.stdout.write(json.dumps({"client": name, "event": event, **more}) + "\n")
        sys.stdout.flush()


def code(reason):
    return reason.value if hasattr(reason, "value") else int(reason)


def on_connect(client, name, flags, reason, properties=None):
    tell(name, "connack", reason=code(reason), present=bool(flags["session present"]))


def on_subscribe(client, name, mid, granted, properties=None):
    tell(name, "suback", mid=mid, reasons=[code(one) for one in granted])


def on_unsubscribe(client, name, mid, properties=None, reasons=None):
    tell(name, "unsuback", mid=mid)


def on_publish(client, name, mid):
    tell(name, "published", mid=mid)


def on_disconnect(client, name, reason, properties=None):
    tell(name, "gone", reason=code(reason))


def on_message(client, name, message):
    tell(
        name,
        "message",
        topic=message.topic,
        payload=base64.b64encode(message.payload).decode(),
        qos=message.qos,
        retain=bool(message.retain),
    )


def connect(name, order):
    level = order["level"]
    if level == 5:
        client = mqtt.Client(client_id=order["id"], userdata=name, protocol=LEVELS[level])
    else:
        client = mqtt.Client(
            client_id=order["id"],
            clean_session=order["clean"],
            userdata=name,
            protocol=LEVELS[level],
        )
    client.on_connect = on_connect
    client.on_subscribe = on_subscribe
    client.on_unsubscribe = on_unsubscribe
    client.on_publish = on_publish
    client.on_disconnect = on_disconnect
    client.on_message = on_message
    client.max_inflight_messages_set(20)
    will = order.get("will")
    if will is not None:
        client.will_set(will["topic"], will["payload"], will["qos"], will["retain"])
    if level == 5:
        properties = Properties(PacketTypes.CONNECT)
        if not order["clean"]:
            properties.SessionExpiryInterval = 600
        client.connect(
            "127.0.0.1",
            order["port"],
            order["keepAliveS"],
            clean_start=order["clean"],
            properties=properties,
        )
    else:
        client.connect("127.0.0.1", order["port"], order["keepAliveS"])
    return client


def live(name, first):
    try:
        client = connect(name, first)
        while client.loop(timeout=0.005) == mqtt.MQTT_ERR_SUCCESS:
            while not orders[name].empty():
                obey(client, orders[name].get())
    except Exception as error:
        tell(name, "error", message=repr(error))


def obey(client, order):
    op = order["op"]
    if op == "subscribe":
        if order["level"] == 5:
            wanted = [(one, SubscribeOptions(qos=order["qos"])) for one in order["filters"]]
        else:
            wanted = [(one, order["qos"]) for one in order["filters"]]
        client.subscribe(wanted)
    elif op == "unsubscribe":
        client.unsubscribe(order["filters"])
    elif op == "publish":
        payload = base64.b64decode(order["payload"])
        client.publish(order["topic"], payload, order["qos"], order["retain"])
    elif op == "disconnect":
        client.disconnect()
    elif op == "abort":
        # Without DISCONNECT, as if the cable had been pulled on the client's side.
        client.socket().shutdown(2)


for line in sys.stdin:
    wish = json.loads(line)
    name = wish["client"]
    if wish["op"] == "connect":
        orders[name] = queue.Queue()
        threading.Thread(target=live, args=(name, wish), daemon=True).start()
    else:
        orders[name].put(wish)
