"""A real SFTP server in this process: paramiko's protocol over a socket, files of a folder, and faults on demand.

Like OpenSSH's, its rename replaces nothing.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from pathlib import Path
from typing import Any

import paramiko


class ShopServer:
    """The print shop's server; `cut_after` bytes of uploads it drops the connection once."""

    def __init__(self, folder: Path, *, user: str = "ccm") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.user = user
        self.host_key = paramiko.ECDSAKey.generate()
        self.client_key = paramiko.RSAKey.generate(2048)
        self.cut_after: int | None = None
        self.written: list[tuple[str, int, int]] = []  # name, offset, length of every write
        self.logins = 0
        self._transports: list[paramiko.Transport] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def settings(self, folder: Path, **more: str) -> dict[str, str]:
        """Return what a client needs to get in, with the key files written beside it."""
        folder.mkdir(parents=True, exist_ok=True)
        key, known = folder / "key", folder / "known_hosts"
        self.client_key.write_private_key_file(str(key))
        known.write_text(f"[127.0.0.1]:{self.port} {self.host_key.get_name()} {self.host_key.get_base64()}\n")
        drop = f"sftp://{self.user}@127.0.0.1:{self.port}/in"
        return {"drop": drop, "key_file": str(key), "known_hosts": str(known), "timeout_seconds": "10"} | more

    def close(self) -> None:
        """End every connection and thread."""
        with contextlib.suppress(OSError):  # closed before
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for transport in self._transports:
            transport.close()
        for thread in self._threads:
            thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self.host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, self, transport)
            self._transports.append(transport)
            try:
                transport.start_server(server=_Door(self))
            except (paramiko.SSHException, EOFError, OSError):
                transport.close()


class _Door(paramiko.ServerInterface):
    def __init__(self, server: ShopServer) -> None:
        self._server = server

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        good = username == self._server.user and key == self._server.client_key
        self._server.logins += good
        return int(paramiko.AUTH_SUCCESSFUL if good else paramiko.AUTH_FAILED)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return int(paramiko.OPEN_SUCCEEDED)


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, door: _Door, server: ShopServer, transport: paramiko.Transport) -> None:
        super().__init__(door)
        self._server = server
        self._transport = transport

    def _real(self, path: str) -> Path:
        return self._server.folder / self.canonicalize(path).lstrip("/")

    def stat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(self._real(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        try:
            descriptor = os.open(self._real(path), flags & ~os.O_EXCL, 0o600)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        handle = _Handle(self._server, self._transport, self._real(path).name, flags)
        handle.readfile = handle.writefile = os.fdopen(descriptor, "r+b" if flags & (os.O_RDWR | os.O_WRONLY) else "rb")
        return handle

    def rename(self, oldpath: str, newpath: str) -> int:
        try:
            os.link(self._real(oldpath), self._real(newpath))
        except OSError as error:
            return int(paramiko.SFTPServer.convert_errno(error.errno or 0))
        self._real(oldpath).unlink()
        return int(paramiko.SFTP_OK)

    def remove(self, path: str) -> int:
        self._real(path).unlink()
        return int(paramiko.SFTP_OK)


class _Handle(paramiko.SFTPHandle):
    def __init__(self, server: ShopServer, transport: paramiko.Transport, name: str, flags: int) -> None:
        super().__init__(flags)
        self._server = server
        self._transport = transport
        self._name = name

    def stat(self) -> Any:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))

    def write(self, offset: int, data: bytes) -> int:
        cut = self._server.cut_after
        if cut is not None and offset + len(data) > cut:
            self._server.cut_after = None
            self._transport.close()
        if not self._transport.is_active():  # what was under way when the line went is lost
            return int(paramiko.SFTP_FAILURE)
        self._server.written.append((self._name, offset, len(data)))
        done: int = super().write(offset, data)
        self.writefile.flush()
        return done
