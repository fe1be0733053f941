/* node_fixture.h - one agent's node with a catalog that is a fake, for the suites of node.h. Plain
 * globals: each test has a process of its own. */
#ifndef TESTS_AGENTD_NODE_FIXTURE_H
#define TESTS_AGENTD_NODE_FIXTURE_H

#include "services/agentd/io/node.h"
#include "tests/lib/fake_catalog.h"

extern struct cu_loop *loop;
extern struct cu_rpc *rpc;
extern struct fake_catalog *fake;
extern struct cu_view *view;
extern struct cu_metrics *metrics;
extern struct agent_node *node;
extern char data_dir[256];
extern struct agent_service_def file_services[4];
extern struct agent_check_def file_checks[4];
extern const char *file_tokens[4];
extern size_t file_service_count, file_check_count;
extern bool merges_central;

/* What the configuration says; the files' part is in the variables above. */
struct agent_node_settings settings(void);
void open_all(void);
void open_node(void); /* by open_all() and restart() */
void close_all(void);
void restart(void);

/* ---- what is asked of it ---- */

extern bool is_done;
extern enum cu_err done_err;
void done(void *arg, enum cu_err err, const char *text);
void wait_done(void); /* until done(), without an error */
struct agent_service_def parse(const char *body, bool is_remote);
void register_service(const char *body, bool replaces);
struct agent_check_def parse_check(const char *body);
void register_check(const char *body);
void pass(const char *id, enum agent_status status, const char *note);

/* ---- what became of it ---- */

const char *local_status(const char *id); /* "": no such check */
const char *local_output(const char *id);
bool remote_is(const char *id, const char *status);
bool file_exists(const char *name);
bool service_file(const char *id);
bool check_file(const char *id);

#endif
