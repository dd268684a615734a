package groove

// Version is this build's version, set by the linker.
var Version = "0.1.0-dev"
