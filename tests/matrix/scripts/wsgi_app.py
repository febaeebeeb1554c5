# SPDX-License-Identifier: Apache-2.0
"""The application that gunicorn and uwsgi serve."""


def application(_environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"served\n"]
