// Package tools is the MCP server that agents see: five tools over streamable
// HTTP on loopback, and the stdio shim for programs that speak MCP only over
// standard input.
//
// It is the first room of what an agent sends and one of the ways in which mail
// reaches it: tools → router → mailbox. It refuses calls without the token of a
// live session, and says every refusal in words that a model can act on: kind,
// why, what helps. Reading mail changes nothing until the answer that holds it
// has been written whole. Text of other agents is shown fenced (groove.Fence).
package tools
