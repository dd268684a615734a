package acp

// DecodeUpdate is reached by the fuzz target and the golden test.
var DecodeUpdate = decodeUpdate
