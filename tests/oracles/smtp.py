"""A mail server (aiosmtpd) that reads each message with Python's own `email` and prints what it says.

The first line of stdin is {mode: "starttls"|"implicit", certificate, key, username, password}; the first line of
stdout is {port}, each further one a message. Ends with stdin.
"""

import asyncio
import email
import email.policy
import email.utils
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

settings = json.loads(sys.stdin.readline())
tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
tls.load_cert_chain(settings["certificate"], settings["key"])


def say(value):
    print(json.dumps(value), flush=True)


def authenticate(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (
        settings["username"].encode(),
        settings["password"].encode(),
    )
    return AuthResult(success=right, handled=False, auth_data=settings["username"] if right else None)


def part(message, kind):
    found = message.get_body(preferencelist=(kind,))
    return None if found is None else found.get_content()


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        # An address beyond ASCII is a defect for this parser, which does not know that SMTPUTF8 was agreed on; the
        # envelope holds it as well.
        everything = [message, *message.iter_parts()] if message.is_multipart() else [message]
        say(
            {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "encrypted": session.ssl is not None or settings["mode"] == "implicit",
                "authenticated": session.authenticated,
                "options": envelope.mail_options,
                "headers": [[name, str(value)] for name, value in message.items()],
                "sender": [address.display_name for address in message["From"].addresses],
                "date": email.utils.parsedate_to_datetime(message["Date"]).timestamp(),
                "type": message.get_content_type(),
                "text": part(message, "plain"),
                "html": part(message, "html"),
                "defects": [str(defect) for one in everything for defect in one.defects]
                + [str(defect) for name, value in message.items() if name != "To" for defect in value.defects],
            }
        )
        return "250 2.0.0 queued"


def serve():
    implicit = settings["mode"] == "implicit"
    return SMTP(
        Handler(),
        hostname="localhost",
        enable_SMTPUTF8=True,
        tls_context=None if implicit else tls,
        require_starttls=not implicit,
        authenticator=authenticate,
        auth_required=True,
        # Over implicit TLS aiosmtpd does not know that the connection is encrypted.
        auth_require_tls=not implicit,
    )


async def main():
    loop = asyncio.get_running_loop()
    context = tls if settings["mode"] == "implicit" else None
    server = await loop.create_server(serve, "127.0.0.1", 0, ssl=context)
    say({"port": server.sockets[0].getsockname()[1]})
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
