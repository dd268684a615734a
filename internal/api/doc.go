// Package api is the door of the daemon for its user and its agents: REST over a
// Unix socket and over TCP on loopback, described at /openapi.json, and the typed
// client that the command line uses.
//
// It stands beside the hall: what is asked here goes to the interfaces of Backend,
// which the daemon wires. It refuses another user of the machine, a foreign Host or
// Origin, a caller without a token, and an agent that asks for what is the user's;
// each route says in one table who may call it. Every refusal is an RFC 9457 problem with
// a kind. It is never bound beyond loopback.
package api
