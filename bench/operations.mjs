// What is measured: each operation's requests, what the limit does in its place, and
// how an answer is known to be right before anything is timed.
//
// An operation consists of steps. A step has a `label`, the `requests` that are sent for
// it, many alike about many people, the `status` that answers each, and `holds`, which
// says of the first one's answer whether it is what was asked for. Sent are all requests
// of the first step, then all of the next, and so on: that undoes what the first did
// long enough before it comes again, so that every change is one. With `isMixed`, sent
// is one request of each step in turn.
//
// `isPoint` marks what is about one resource, and so must cost the same in every team;
// `isByBytes` what is compared with the limit by bytes and not by requests, `isLong`
// what takes seconds. Not here: how requests are sent and timed.

import { changes } from "./changes.mjs";
import { reads } from "./reads.mjs";
import { unauthorised } from "./unauthorised.mjs";

/** All operations that this team has; what makes it larger comes last. */
export const operations = (team) => [...reads(team), unauthorised(team), ...changes(team)];
