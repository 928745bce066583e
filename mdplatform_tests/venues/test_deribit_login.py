"""Logging in at Deribit: for raw channels, before anything else, and without showing the secret."""

import pytest

from mdplatform.core.clock import SECOND
from mdplatform.core.errors import ConfigError
from mdplatform.core.events import DeadLetter
from mdplatform.core.session import Reconnect, RedactsFrames, Send, Session
from mdplatform_tests.venues.deribit_rig import CREDENTIALS, LOGIN, calls, confirm, letters, refuse, session


@pytest.mark.parametrize("channel", ["book.raw", "trades.raw"])
def test_raw_channels_are_refused_without_credentials(channel: str) -> None:
    with pytest.raises(ConfigError, match=rf"{channel} of deribit needs a login: set MDPLATFORM_DERIBIT_CLIENT_ID"):
        session(channels=(channel,))


def test_with_credentials_nothing_is_subscribed_before_the_login_is_answered() -> None:
    opened = session(channels=("book.raw",), credentials=CREDENTIALS)
    _, login = calls(opened.connected("c1", 0))
    assert (login["method"], login["params"]) == ("public/auth", LOGIN)
    assert not calls(opened.tick(SECOND))
    (subscribe,) = calls(confirm(opened, login, 2 * SECOND))
    assert subscribe["params"]["channels"] == ["book.BTC-PERPETUAL.raw"]


def logged_in() -> Session:
    opened = session(credentials=CREDENTIALS)
    _, login = calls(opened.connected("c1", 0))
    (subscribe,) = calls(confirm(opened, login, 0))
    confirm(opened, subscribe, 0)
    return opened


def test_a_login_is_refreshed_before_it_ends() -> None:
    opened = logged_in()
    assert not calls(opened.tick(719 * SECOND), "auth")
    (refresh,) = calls(opened.tick(721 * SECOND), "auth")
    assert refresh["params"] == {"grant_type": "refresh_token", "refresh_token": "token-r"}
    assert not calls(opened.tick(722 * SECOND), "auth")
    confirm(opened, refresh, 722 * SECOND)
    assert not calls(opened.tick(1441 * SECOND), "auth")
    assert calls(opened.tick(1443 * SECOND), "auth")


def test_a_refresh_that_is_refused_is_followed_by_a_whole_login() -> None:
    opened = logged_in()
    (refresh,) = calls(opened.tick(721 * SECOND), "auth")
    (login,) = calls(refuse(opened, refresh, 13009, "unauthorized", 722 * SECOND), "auth")
    assert login["params"] == LOGIN


def test_a_refused_login_costs_the_raw_channels_only() -> None:
    for channel, wanted in (("book", [Send]), ("book.raw", [Reconnect])):
        opened = session(channels=(channel,), credentials=CREDENTIALS)
        _, login = calls(opened.connected("c1", 0))
        out = refuse(opened, login, 13004, "invalid_credentials", SECOND)
        assert letters(out) == ["public/auth: code 13004: invalid_credentials"]
        assert [type(output) for output in out if isinstance(output, Send | Reconnect)] == wanted


def test_what_is_secret_is_in_no_frame_that_is_kept() -> None:
    opened = session(credentials=CREDENTIALS)
    opened.connected("c1", 0)
    assert isinstance(opened, RedactsFrames)
    answer = b'{"id":2,"result":{"access_token":"token-a","refresh_token": "token-r","expires_in":900}}'
    assert opened.shown(answer) == b'{"id":2,"result":{"access_token":"***","refresh_token": "***","expires_in":900}}'
    out = opened.receive(b'{"id":2,"result":{"access_token":"token-a","expires_in":"the-secret"', SECOND)
    (letter,) = [output for output in out if isinstance(output, DeadLetter)]
    assert letter.frame == b'{"id":2,"result":{"access_token":"***","expires_in":"***"'
    assert "secret" not in f"{CREDENTIALS}{letter.error}"
