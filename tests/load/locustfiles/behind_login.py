"""A scenario whose web UI asks for a login, as Locust's documentation shows it."""

import os

from flask import Blueprint, redirect, request, session, url_for
from flask_login import UserMixin, login_user
from locust import events

from loadtests.sse import *  # noqa: F403


class Known(UserMixin):
    """Whoever logged in."""

    def get_id(self):
        return "known"


@events.init.add_listener
def add_login(environment, **_):
    web = environment.web_ui
    if web is None:
        return
    web.app.config["SECRET_KEY"] = os.environ["COOKIE_KEY"]
    web.login_manager.user_loader(lambda user_id: Known())
    web.auth_args = {
        "username_password_callback": f"{environment.parsed_options.web_base_path or ''}/login_submit",
    }
    pages = Blueprint("login_pages", "login_pages", url_prefix=environment.parsed_options.web_base_path)

    @pages.route("/login_submit", methods=["POST"])
    def login_submit():
        if request.form.get("password") == "open":
            login_user(Known())
            return redirect(url_for("locust.index"))
        session["auth_error"] = "Wrong password"
        return redirect(url_for("locust.login"))

    web.app.register_blueprint(pages)
