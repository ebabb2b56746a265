// Package emulators runs Amazon's services on this machine for tests with the build tag aws: DynamoDB (Amazon's own
// DynamoDB Local, and Dynoxide as a second opinion), Secrets Manager and SQS (moto). Each test starts what it needs on a
// free port of the loopback interface; when the test ends, or dies, the emulator does. `make test-aws` installs them.
//
// Tables and queues are made as template.yaml describes them, so that what is tested is what is deployed.
//
// An emulator that isn't installed fails the test. They don't throttle, lose answers or count everything right:
// Wire does the first two, and the tests say where they believe which one.
package emulators
