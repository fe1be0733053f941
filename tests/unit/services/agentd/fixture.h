/* fixture.h - agentd without its process, before a catalogd that behaves, and a client of it. */
#ifndef TESTS_AGENTD_FIXTURE_H
#define TESTS_AGENTD_FIXTURE_H

#include "services/agentd/agent.h"
#include "tests/lib/fake_catalog.h"
#include "tests/lib/web.h"

#define HOST "Host: x\r\n"

extern struct cu_env env;
extern struct fake_catalog *fake;
extern bool has_left; /* cu_env_leave() was called */
extern void *agent;   /* struct agent */
extern struct web_client *client;
extern bool keeps_data_dir; /* the next one opens with the folder of the last */

/* `json`: further members of its configuration. */
void open_agent(const char *json);
void close_agent(void);

/* Sends a request, waits for the answer; it is in `client`. */
void ask(const char *method, const char *target, const char *headers, const char *body);
unsigned status(void);
bool has(const char *header); /* anywhere in the answer */

#endif
