// Package groove holds the nouns of the house: identities, messages, jobs,
// agents, their states, the stable error kinds, and the payloads of the bridge
// protocol. Every room speaks in these types.
//
// It stands under the hall and imports only the standard library. It decides
// nothing that needs a clock, a file, a socket or randomness.
package groove
