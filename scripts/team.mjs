// Creates a team that an identity provider can be pointed at, the way an
// operator and then the team's admin would. `npm run demo` and the end-to-end
// suite share it.

/** One request of the JSON APIs; anything but a success is an error with its sentence. */
async function ask(url, token, method, path, body) {
  const response = await fetch(new URL(path, url), {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) {
    const error = new Error(
      `${method} ${path} was answered ${response.status}: ${text || "(nothing)"}`,
    );
    error.status = response.status;
    throw error;
  }
  return text === "" ? undefined : JSON.parse(text);
}

/** A team with an admin, an SSO method, SCIM enabled and a key; `limits` are its seats and rate. */
export async function createTeam(url, operatorToken, team, limits = {}) {
  const { adminToken } = await ask(url, operatorToken, "POST", "/operator/v1/teams", {
    id: team,
    name: team,
    admin: { name: "Demo Admin", email: `admin@${team}.example` },
    ...limits,
  });
  const control = `/teams/${team}/v1`;
  await ask(url, adminToken, "PUT", `${control}/sso/saml`, {
    issuer: `https://idp.${team}.example/saml`,
    signInUrl: `https://idp.${team}.example/saml/sign-in`,
    certificate: CERTIFICATE,
  });
  await ask(url, adminToken, "POST", `${control}/scim/enable`);
  const { key } = await ask(url, adminToken, "POST", `${control}/scim/keys`, { name: "demo" });
  return { team, baseUrl: `${url}/scim/v2`, key, adminToken };
}

// A self-signed certificate whose private key nobody has: SAML wants one.
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBgzCCASmgAwIBAgIUd6lZlnBOy3+kr26jIzQi1YGqbyAwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLaWRwLmV4YW1wbGUwIBcNMjYxMTIzMjE1ODU0WhgPMjEyNjEw
MzAyMTU4NTRaMBYxFDASBgNVBAMMC2lkcC5leGFtcGxlMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEreRYuSYgIkE3zspF+TRMBfdXRHE2rsTFSeX8SpQZG18/KosG
Xl/qQq3CUU3+6x8lZWrGORCFd3CZwuY4sJFXkKNTMFEwHQYDVR0OBBYEFCFJEinU
NjVQKqw4wAF0aPHfH8GiMB8GA1UdIwQYMBaAFCFJEinUNjVQKqw4wAF0aPHfH8Gi
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgTXEdbZTKjfn12ip7
c6GoHtUs50ak7idjboEc6GbnproCIQD9E6fdIDw56ESdR1ov4O9ZX7WFXEV1uNB0
7tgyEY2Glg==
-----END CERTIFICATE-----
`;
