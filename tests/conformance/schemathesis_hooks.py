"""What schemathesis cannot know: which teams there are, and the credential that
each operation is for. `checkers.test.mjs` puts the credentials in the environment."""

import os

import schemathesis

TOKENS = {
    "adminToken": "ADMIN_TOKEN",
    "operatorToken": "OPERATOR_TOKEN",
    "serviceToken": "SERVICE_TOKEN",
}


@schemathesis.hook
def before_call(context, case, kwargs):
    if "team" in (case.path_parameters or {}):
        # What an operator does to a team must not end the one whose admin is at work.
        operator = case.path.startswith("/operator/")
        case.path_parameters["team"] = "other" if operator else "acme"
    for requirement in case.operation.definition.raw.get("security", [])[:1]:
        scheme = next(iter(requirement))
        case.headers["Authorization"] = f"Bearer {os.environ[TOKENS[scheme]]}"
