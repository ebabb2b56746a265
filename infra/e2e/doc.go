// Package e2e performs the main job through the functions as AWS runs them: each built bootstrap under Lambda's own Runtime
// Interface Emulator, the AWS engines on emulators, the fake of Apple's service behind them. What AWS puts in front of
// the functions (the gateway, the scheduler, the queue's trigger) is played from what template.yaml says. Nothing here is
// Docker's.
//
// It needs the build tags aws and e2e, and what `make e2e-lambda` installs and builds before.
package e2e
