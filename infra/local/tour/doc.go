// Package tour performs the main job against a running stack, over HTTP, as an administrator, an identity provider and a
// curious reader would: upload the token, watch the sync, send people and groups, plan, assign, and look who has what.
// It shows each step. It can be interrupted anywhere and begun again: it does only what isn't done.
package tour
