package agents

// Next is the state machine, which no caller outside needs.
var Next = next
