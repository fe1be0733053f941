/* answer.h - ends a request with one of the few kinds of answers (http-api.md 1.4, 1.5). */
#ifndef AGENT_ANSWER_H
#define AGENT_ANSWER_H

#include "services/agentd/agent.h"

enum agent_cache_use { AGENT_CACHE_UNUSED, AGENT_CACHE_MISS, AGENT_CACHE_HIT };

/* The head of an answer that names the state it was read from. */
struct agent_meta {
    uint64_t index; /* 0: not printed */
    bool known_leader;
    uint64_t last_contact_ms;
    const char *consistency; /* X-Consul-Effective-Consistency; NULL: not printed */
    enum agent_cache_use cache;
    uint64_t age_s; /* with AGENT_CACHE_HIT */
};

/* A body of the view's. */
struct agent_body {
    struct cu_view_body *body; /* borrowed */
    const char *content_type;
    bool is_gzipped;
    bool is_shared; /* others get the same: with equal `meta` it is made once */
};

/* Each answers once. `meta` NULL: none is printed. */
void agent_answer_json(struct agent_call *call, unsigned status, struct cu_buf *json,
                       const struct agent_meta *meta); /* takes what is in the buffer */
/* With one more header. */
void agent_answer_json_with(struct agent_call *call, unsigned status, struct cu_buf *json,
                            const char *header, const char *value);
void agent_answer_plain_with(struct agent_call *call, unsigned status, struct cu_buf *text,
                             const char *header, const char *value); /* text/plain */
/* The head of an endless answer, whose body comes by agent_rq_push(). */
void agent_answer_stream(struct agent_call *call, unsigned status, const char *content_type);
void agent_answer_body(struct agent_call *call, unsigned status, const struct agent_body *body,
                       const struct agent_meta *meta);
void agent_answer_empty(struct agent_call *call, unsigned status, const struct agent_meta *meta);
void agent_answer_text(struct agent_call *call, unsigned status, const char *text);

/* `fault` of the call, filled before. */
void agent_answer_fault(struct agent_call *call);
void agent_answer_fault_of(struct agent_call *call, const struct agent_meta *meta);
/* An error of the bus, by the one table. */
void agent_answer_error(struct agent_call *call, enum cu_err err, const char *text,
                        unsigned invalid_status);
/* Whether that is all there is to answer: then it is done, and CU_E_INVALID is a 500. */
bool agent_answer_failed(struct agent_call *call, const struct cu_answer *answer);

/* Nothing but status and body: of requests that never reached a route. */
void agent_answer_bare(struct agent_call *call, unsigned status, const char *text);

void agent_answer_redirect(struct agent_call *call); /* to call->location */
void agent_answer_methods(struct agent_call *call);  /* OPTIONS */
void agent_answer_method_refused(struct agent_call *call);

#endif
