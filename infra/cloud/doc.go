// Package cloud is how a function reaches AWS: its region, its role's credentials, and a line in the log for every call,
// all from the environment that Lambda gives it. It asks nobody for any of that: the SDK's own search (profiles, instance
// metadata, single sign-on) costs a function's start milliseconds and its archive megabytes, and finds nothing there.
package cloud
