#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# A SSH server that lets everybody in and then breaks the protocol's rules, or bends them, in one way:
#
#   rule_breaker.py WAY HOST_KEY UUID    prints its port, and serves until it is ended
#
# and prints "refused" when it is denied a channel of its own for the first time.
# "status": it tells again and again that the command has ended; "packets": it takes packets of ten
# bytes, which is what libssh needs for itself; "silence": it never says whether it runs the command, and
# asks for channels of its own instead, as often as it may before 512 MiB are sent, at which a new exchange
# of keys is due, and a packet in the midst of that ends the connection.
import socket
import sys
import threading
import time

import paramiko
from paramiko.common import (MSG_CHANNEL_OPEN_FAILURE, cMSG_CHANNEL_DATA, cMSG_CHANNEL_OPEN,
                             cMSG_CHANNEL_REQUEST, cMSG_CHANNEL_SUCCESS)

way, host_key, uuid = sys.argv[1:]
READY = f'\narver: begin 0\narver: device 0\narver: uuid 0\n {uuid}\narver: ready 0\n'


class Transport(paramiko.Transport):
    def say(self, kind, *fields):
        m = paramiko.Message()
        m.add_byte(kind)
        for field in fields:
            add = {int: m.add_int, bool: m.add_boolean}.get(type(field), m.add_string)
            add(field)
        self._send_message(m)

    def _send_message(self, message):
        if way != 'silence' or message.asbytes()[:1] != cMSG_CHANNEL_SUCCESS:
            super()._send_message(message)

    def _sanitize_packet_size(self, size):
        return size

    def was_refused(self, message):
        if not getattr(self, 'knows', False):
            print('refused', flush=True)
        self.knows = True

    _handler_table = {**paramiko.Transport._handler_table, MSG_CHANNEL_OPEN_FAILURE: was_refused}


class Server(paramiko.ServerInterface):
    def __init__(self, transport):
        self.transport = transport

    def get_allowed_auths(self, username):
        return 'publickey'

    def check_auth_publickey(self, username, key):
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind, channel):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        threading.Thread(target=self.breaks, args=(channel.remote_chanid,), daemon=True).start()
        return True

    def breaks(self, channel):
        say = self.transport.say
        time.sleep(0.2)  # behind the answer
        try:
            if way == 'packets':
                say(cMSG_CHANNEL_DATA, channel, READY)
            while way == 'status':
                say(cMSG_CHANNEL_REQUEST, channel, 'exit-status', False, 0)
                time.sleep(0.1)
            for _ in range(16000 if way == 'silence' else 0):
                say(cMSG_CHANNEL_OPEN, 'forwarded-tcpip', 7, 1, 1, 'h' * 15000, 22, 'p' * 15000, 22)
        except (EOFError, OSError):
            pass


listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    t = Transport(connection, default_max_packet_size=10 if way == 'packets' else 32768)
    t.add_server_key(paramiko.Ed25519Key(filename=host_key))
    t.start_server(event=threading.Event(), server=Server(t))
