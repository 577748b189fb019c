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
from paho.mqtt.reasoncodes import ReasonCodes
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


def made(kind, wanted):
    """The properties that are wanted, by Paho's names for them."""
    properties = Properties(kind)
    for key, value in (wanted or {}).items():
        if key == "CorrelationData":
            value = value.encode()
        elif key == "UserProperty":
            value = [tuple(pair) for pair in value]
        setattr(properties, key, value)
    return properties


def found(properties):
    """The same as `made`, the other way round."""
    told = dict(vars(properties)) if properties is not None else {}
    for key in ("packetType", "types", "names", "properties"):
        told.pop(key, None)
    if "CorrelationData" in told:
        told["CorrelationData"] = told["CorrelationData"].decode()
    return told


def on_log(client, name, level, text):
    verb, _, rest = text.partition(" ")
    if verb in ("Sending", "Received"):
        way = "sent" if verb == "Sending" else "received"
        tell(name, "packet", packet=way + " " + rest.split(" ")[0])


def on_connect(client, name, flags, reason, properties=None):
    tell(name, "connack", reason=code(reason), present=bool(flags["session present"]),
         properties=found(properties))


def on_subscribe(client, name, mid, granted, properties=None):
    tell(name, "suback", mid=mid, reasons=[code(one) for one in granted])


def on_unsubscribe(client, name, mid, properties=None, reasons=None):
    # A single reason is not in a list.
    many = reasons if isinstance(reasons, list) else [reasons] if reasons is not None else []
    tell(name, "unsuback", mid=mid, reasons=[code(one) for one in many])


def on_publish(client, name, mid):
    tell(name, "published", mid=mid)


def on_disconnect(client, name, reason, properties=None):
    tell(name, "gone", reason=code(reason), properties=found(properties))


def on_message(client, name, message):
    properties = found(getattr(message, "properties", None))
    # Paho leaves it to its user to know what a topic alias stands for.
    alias = properties.get("TopicAlias")
    topic = message.topic or client.aliases[alias]
    if alias is not None:
        client.aliases[alias] = topic
    tell(
        name,
        "message",
        topic=topic,
        properties=properties,
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
    client.on_log = on_log
    client.aliases = {}
    client.max_inflight_messages_set(20)
    if order.get("userName") is not None:
        client.username_pw_set(order["userName"], order.get("password"))
    will = order.get("will")
    if will is not None:
        carried = made(PacketTypes.WILLMESSAGE, will["properties"]) if level == 5 else None
        client.will_set(will["topic"], will["payload"], will["qos"], will["retain"], carried)
    if level == 5:
        client.connect(
            "127.0.0.1",
            order["port"],
            order["keepAliveS"],
            clean_start=order["clean"],
            properties=made(PacketTypes.CONNECT, order["properties"]),
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
            options = SubscribeOptions(
                qos=order["qos"],
                noLocal=order.get("noLocal", False),
                retainAsPublished=order.get("retainAsPublished", False),
                retainHandling=order.get("retainHandling", 0),
            )
            wanted = [(one, options) for one in order["filters"]]
            number = order.get("subscriptionId")
            carried = {} if number is None else {"SubscriptionIdentifier": number}
            client.subscribe(wanted, properties=made(PacketTypes.SUBSCRIBE, carried))
        else:
            client.subscribe([(one, order["qos"]) for one in order["filters"]])
    elif op == "unsubscribe":
        client.unsubscribe(order["filters"])
    elif op == "publish":
        payload = base64.b64decode(order["payload"])
        wanted = order.get("properties")
        carried = None if wanted is None else made(PacketTypes.PUBLISH, wanted)
        client.publish(order["topic"], payload, order["qos"], order["retain"], carried)
    elif op == "disconnect":
        if order.get("withWill", False):
            client.disconnect(ReasonCodes(PacketTypes.DISCONNECT, "Disconnect with will message"))
        elif order.get("sessionExpiryS") is not None:
            wanted = {"SessionExpiryInterval": order["sessionExpiryS"]}
            client.disconnect(properties=made(PacketTypes.DISCONNECT, wanted))
        else:
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
