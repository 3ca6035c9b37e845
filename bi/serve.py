"""Start the dashboard: set Superset up, import the board, serve it to this machine.

Runs in Superset's own environment: ``python bi/serve.py HOME BOARD.zip``. At the first start it
makes a user with a password that it draws, and prints in which file the password is.
"""

import argparse
import os
import secrets
import sys
import zipfile
from pathlib import Path
from typing import Any

USER = "csp"
HOST = "127.0.0.1"
PORT = 8088
_THREADS = 8


def main() -> None:
    """Set up what is missing, import the board and serve until the process is ended."""
    parser = argparse.ArgumentParser(description="Serve the dashboard to this machine.")
    parser.add_argument("home", type=Path, help="folder in which Superset keeps what it makes")
    parser.add_argument("board", type=Path, help="the ZIP that bi.bundle wrote")
    parser.add_argument("--port", type=int, default=PORT)
    arguments = parser.parse_args()
    home = arguments.home.resolve()
    os.umask(0o077)
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    drawn(home / "secret.key", 48)
    os.environ["CSP_DASHBOARD_HOME"] = str(home)
    os.environ["SUPERSET_CONFIG_PATH"] = str(Path(__file__).with_name("superset_config.py"))
    os.environ["SUPERSET_HOME"] = str(home)
    os.environ["FLASK_APP"] = "superset.app:create_app()"
    app = set_up(home, arguments.board)
    say(f"The dashboard: http://{HOST}:{arguments.port}/superset/dashboard/community-safety/")
    say(f"Sign in as {USER} with the password in {home / 'password.txt'}. Ctrl+C ends it.")
    serve(app, arguments.port)


def drawn(file: Path, size: int) -> str:
    """Return the secret in ``file``, drawn at first; only its owner may read it."""
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(secrets.token_urlsafe(size))
    return file.read_text(encoding="utf-8").strip()


def set_up(home: Path, board: Path) -> Any:
    """Return Superset's application, with its database, its user and the board."""
    from superset.app import create_app

    is_new = not (home / "ready").exists()
    app = create_app()
    with app.app_context():
        if is_new:
            say("Setting up Superset (once; about a minute) ...")
            migrate()
            (home / "password.txt").unlink(missing_ok=True)
        add_user(app, drawn(home / "password.txt", 16), is_new)
        import_board(board)
    (home / "ready").touch()
    return app


def migrate() -> None:
    """Make Superset's own tables and its roles."""
    from flask_migrate import upgrade
    from superset import security_manager
    from superset.extensions import appbuilder

    package = Path(sys.modules["superset"].__file__ or "").parent
    upgrade(directory=str(package / "migrations"))
    appbuilder.add_permissions(update_perms=True)
    security_manager.sync_role_definitions()


def add_user(app: Any, password: str, is_new: bool) -> None:
    """Make the user, or give it the password of the file where that is another one."""
    from superset import security_manager

    user = security_manager.find_user(USER)
    if user is None:
        admin = security_manager.find_role("Admin")
        security_manager.add_user(USER, "CSP", "Warehouse", "csp@localhost", admin, password)
    elif is_new:
        security_manager.reset_password(user.id, password)


def import_board(board: Path) -> None:
    """Import the board over the one of before."""
    from flask import g
    from superset import security_manager
    from superset.commands.importers.v1.assets import ImportAssetsCommand
    from superset.commands.importers.v1.utils import get_contents_from_bundle

    with zipfile.ZipFile(board) as opened:
        contents = get_contents_from_bundle(opened)
    g.user = security_manager.find_user(USER)
    # Unlike the import of dashboards, this one replaces datasets and charts too.
    ImportAssetsCommand(contents).run()


def serve(app: Any, port: int) -> None:
    """Serve the application to this machine only, in one process."""
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            self.cfg.set("bind", f"{HOST}:{port}")
            self.cfg.set("worker_class", "gthread")
            self.cfg.set("threads", _THREADS)
            self.cfg.set("timeout", 120)
            self.cfg.set("loglevel", "warning")
            self.cfg.set("control_socket_disable", True)

        def load(self) -> Any:
            return app

    sys.argv = sys.argv[:1]
    Server().run()


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
