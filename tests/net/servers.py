# SPDX-License-Identifier: GPL-3.0-or-later
"""Small servers that behave well or badly in one chosen way. Print "ready" once they listen."""
import socket
import ssl
import struct
import sys
import threading
import time


def ready():
    print("ready", flush=True)


def tcp_listener(address, port, backlog=16):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen(backlog)
    return s


def each_connection(listener, handle):
    ready()
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=handle, args=(conn,), daemon=True).start()


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


def echo(conn):
    while data := conn.recv(65536):
        conn.sendall(data)
    conn.close()


def greet(conn):
    conn.sendall(b"220 mail.test ESMTP\r\n")
    mute(conn)


def mute(conn):
    while conn.recv(65536):
        pass


def reset_after_request(conn):
    conn.recv(65536)
    reset(conn)


def close_after_request(conn):
    conn.recv(65536)
    conn.close()


def tcp(kind, address, port):
    each_connection(tcp_listener(address, int(port)), globals()[kind])


def udp(kind, address, port, answer_from=""):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, int(port)))
    out = s
    if answer_from:
        out = socket.socket(s.family, socket.SOCK_DGRAM)
        out.bind((answer_from, int(port)))
    ready()
    while True:
        data, peer = s.recvfrom(65536)
        if kind == "echo":
            out.sendto(data, peer)


# ---- HTTP: the path says how to answer ----

def read_request(conn):
    data = b""
    while b"\r\n\r\n" not in data:
        more = conn.recv(65536)
        if not more:
            return "", b""
        data += more
        if data[0] == 0x16:
            return "tls", b""
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        more = conn.recv(65536)
        if not more:
            break
        body += more
    return head.decode("latin-1"), body


def http_answer(conn):
    head, body = read_request(conn)
    if not head:
        return
    if head == "tls":
        conn.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        conn.close()
        return
    path = head.split()[1]
    host = [line for line in head.split("\r\n") if line.lower().startswith("host:")]
    if path == "/reset":
        reset(conn)
        return
    if path == "/hang":
        conn.recv(1)
    elif path == "/slow":
        time.sleep(0.5)
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    elif path == "/fail":
        conn.sendall(b"HTTP/1.1 500 Internal Server Error\r\nServer: envoy\r\nContent-Length: 4\r\n\r\noops")
    elif path == "/moved":
        conn.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.test/\r\nContent-Length: 0\r\n\r\n")
    elif path == "/partial":
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfew")
    elif path == "/stall":
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfew")
        conn.recv(1)
    elif path == "/resetbody":
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfew")
        time.sleep(0.2)
        reset(conn)
        return
    elif path == "/garbage":
        conn.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    elif path == "/big":
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"y" * 200000)
    elif path == "/evil":
        conn.sendall(b"HTTP/1.1 200 OK\r\nServer: a\x1b[31mb\xff\r\nContent-Length: 3\r\n\r\n\x00\x1bz")
    elif path != "/close":
        text = f"{host[0]}\n{head.split()[0]} {len(body)}".encode()
        conn.sendall(b"HTTP/1.1 200 OK\r\nServer: test\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
    conn.close()


def http(address, port):
    each_connection(tcp_listener(address, int(port)), http_answer)


def https(address, port, certificate, go=""):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def handle(conn):
        # As Go's net/http does, or an alert, as OpenSSL and most others do.
        if conn.recv(1, socket.MSG_PEEK) != b"\x16":
            conn.recv(65536)
            conn.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
                         if go else b"\x15\x03\x01\x00\x02\x02\x46")
            conn.close()
            return
        try:
            http_answer(context.wrap_socket(conn, server_side=True))
        except OSError:
            conn.close()

    each_connection(tcp_listener(address, int(port)), handle)


# ---- DNS: the name asked for says what is done with the question ----

QTYPE = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "TXT": 16, "AAAA": 28, "SRV": 33}
RCODES = {"formerr": 1, "servfail": 2, "nxdomain": 3, "notimp": 4, "refused": 5}


def dns_name(text):
    return b"".join(bytes([len(p)]) + p.encode() for p in text.rstrip(".").split(".") if p) + b"\0"


def record(kind, data, name=b"\xc0\x0c", ttl=30):
    return name + struct.pack("!HHIH", QTYPE[kind], 1, ttl, len(data)) + data


def soa(ttl=60, minimum=5):
    data = dns_name("ns.dns.test") + dns_name("hostmaster.test") + struct.pack("!IIIII", 1, 2, 3, 4, minimum)
    return record("SOA", data, b"\0", ttl)


def parse_question(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += query[at] + 1
    return ".".join(labels).lower(), struct.unpack("!H", query[at + 1:at + 3])[0], query[12:at + 5]


ZONE = {
    ("web.test", "A"): [record("A", bytes([10, 0, 0, 1])), record("A", bytes([10, 0, 0, 2]), ttl=20)],
    ("web.test", "AAAA"): [record("AAAA", bytes.fromhex("fd" + "00" * 14 + "01"))],
    ("server.test", "A"): [record("A", bytes([10, 77, 2, 9])), record("A", bytes([10, 77, 2, 2]))],
    ("v4.test", "A"): [record("A", bytes([10, 0, 0, 4]))],
    ("alias.test", "A"): [record("CNAME", dns_name("web.test")), record("A", bytes([10, 0, 0, 1]), dns_name("web.test"))],
    ("_http._tcp.web.test", "SRV"): [record("SRV", struct.pack("!HHH", 1, 2, 8080) + dns_name("pod-1.web.test"))],
    ("1.0.0.10.in-addr.arpa", "PTR"): [record("PTR", dns_name("web.test"))],
    ("dns-version.test", "TXT"): [record("TXT", b"\x051.1.0")],
    ("api.svc.test", "A"): [record("A", bytes([10, 96, 0, 7]))],
    ("api.svc.test", "AAAA"): [],
    ("api", "A"): [record("A", bytes([10, 96, 0, 8]))],
    ("empty.a.test", "A"): [], ("empty.a.test", "AAAA"): [],
    ("empty.b.test", "A"): [record("A", bytes([10, 0, 0, 5]))],
}
BIG = [record("A", bytes([10, 1, 0, i]), ttl=7) for i in range(60)]


def dns_answer(query, tcp):
    """The response, or None for silence."""
    name, qtype, question = parse_question(query)
    kind = {v: k for k, v in QTYPE.items()}.get(qtype, "")
    first = name.split(".")[0]
    rcode, flags, answers, authority, extra = 0, 0x8580, ZONE.get((name, kind), []), [], b""
    if first in RCODES:
        rcode = RCODES[first]
    elif first == "silent":
        return None
    elif first == "big":
        if tcp:
            answers = BIG
        else:
            flags |= 0x200
    elif first == "edns":
        size = struct.unpack("!H", query[-8:-6])[0] if query[11] else 0
        answers = [record("TXT", bytes([len(str(size))]) + str(size).encode())] + ([record("A", bytes([10, 1, 1, 1]))] * 60 if size else [])
    elif first == "badvers":
        extra = b"\0" + struct.pack("!HHIH", 41, 1232, 1 << 24, 0)
    elif first == "short":
        return query[:2] + b"\x85\x80"
    elif first == "cut":
        return query[:2] + struct.pack("!HHHHH", flags, 1, 9, 0, 0) + question + record("A", bytes(4))[:-2]
    elif first == "wrongid":
        return b"\xff\xff" + struct.pack("!HHHHH", flags, 1, 0, 0, 0) + question
    elif not any(n == name for n, _ in ZONE):
        rcode = 3
    if not answers and rcode in (0, 3) and not flags & 0x200:
        authority = [soa()]
    return (query[:2] + struct.pack("!HHHHH", flags | rcode, 1, len(answers), len(authority), 1 if extra else 0)
            + question + b"".join(answers) + b"".join(authority) + extra)


def dns(address, port="53", answer_from="", log=""):
    """UDP and TCP; answers leave from another address when answer_from is given; log names the file of questions."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    udp = socket.socket(family, socket.SOCK_DGRAM)
    udp.bind((address, int(port)))
    out = udp
    if answer_from:
        out = socket.socket(family, socket.SOCK_DGRAM)
        out.bind((answer_from, int(port)))

    def note(query, how):
        if log:
            name, qtype, _ = parse_question(query)
            with open(log, "a", encoding="ascii") as f:
                f.write(f"{name} {qtype} {how}\n")

    def by_udp():
        while True:
            query, peer = udp.recvfrom(4096)
            note(query, "udp")
            answer = dns_answer(query, False)
            if answer is not None:
                out.sendto(answer, peer)

    def by_tcp(conn):
        size = conn.recv(2)
        query = conn.recv(struct.unpack("!H", size)[0])
        note(query, "tcp")
        answer = dns_answer(query, True)
        if answer is not None:
            conn.sendall(struct.pack("!H", len(answer)) + answer)
            conn.recv(1)
        elif "close" in sys.argv:
            conn.close()
        else:
            conn.recv(1)

    listener = tcp_listener(address, int(port))
    threading.Thread(target=by_udp, daemon=True).start()
    each_connection(listener, by_tcp)


def shaky_dns(address, how):
    """Every name exists. slow: answers take 1.8 s; race: now and then the second question of a socket is lost; lossy: any is."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((address, 53))
    last, counted = None, 0
    ready()
    while True:
        query, peer = udp.recvfrom(4096)
        _, qtype, question = parse_question(query)
        at_risk = how == "lossy" or (how == "race" and peer == last)
        last = peer
        counted += at_risk
        if at_risk and counted % 45 == 0:
            continue
        answers = [record("A", bytes([10, 1, 1, 1]))] if qtype == QTYPE["A"] else []
        answer = query[:2] + struct.pack("!HHHHH", 0x8580, 1, len(answers), 0, 0) + question + b"".join(answers)
        if how == "slow":
            threading.Timer(1.8, udp.sendto, (answer, peer)).start()
        else:
            udp.sendto(answer, peer)


def main():
    name, *args = sys.argv[1:]
    globals()[name](*args)


if __name__ == "__main__":
    main()
