"""Runs scim2-tester against SCIM_URL with SCIM_KEY; one JSON object a check, one a line."""

import json
import os

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server

headers = {"Authorization": f"Bearer {os.environ['SCIM_KEY']}"}
with Client(base_url=os.environ["SCIM_URL"], headers=headers) as http:
    for check in check_server(SyncSCIMClient(http)):
        attribute = check.data.get("urn") if isinstance(check.data, dict) else None
        parts = (check.resource_type, check.title, attribute)
        line = {
            "name": " ".join(part for part in parts if part),
            "status": check.status.name,
            "reason": check.reason,
        }
        # What the Worker answered is in the data, where a check went wrong.
        if check.status.name != "SUCCESS":
            line["data"] = str(check.data)
        print(json.dumps(line))
