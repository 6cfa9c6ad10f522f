/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Epochs: one circuit, two instances, decisions by rules, operators and lone recoveries; news and replies that come late, again
 * or never; a store that loses everything and gets it back from those who know.
 *
 * Each kind of decision happens so many times (-DOPENINGS=1 …), so that quiet comes in the end: then all must agree.
 */
#include "common.pml"

#define N 2
#ifndef OPENINGS
#define OPENINGS 1    /* by rules, at any instance */
#endif
#ifndef ACTIONS
#define ACTIONS 0     /* 1: instance 0 forces the circuit open; 2: and instance 1 closes it */
#endif

#define CLOSED 0
#define OPEN 1
#define FORCED 2

/* What an instance asks, or still has to tell. */
#define NONE 0
#define OPENED 1      /* `open` */
#define RECOVERED 2   /* `recovered` */
#define FORCE 3       /* `operate forced_open` */
#define RELEASE 4     /* `operate closed` */
#define SYNC 5
#define RESTORE 6

typedef note { bit here; byte era; byte epoch; byte state };
typedef ask { byte what; byte era; byte epoch; byte state };

bit store = 1;
byte era = 1;
byte epoch = 0;
byte state = CLOSED;
byte last_action = 0; /* the id of the last operator's action; an action is its own id here */
bit remembered[5];    /* the ids of all of them */
byte acted[5];        /* how often each has acted, in this life of the store */
byte before = CLOSED; /* the state before the last decision */
byte losses = LOSSES;

ask sent[N];          /* the request under way */
ask old[N];           /* one of before the connection broke, that may still arrive */
note answer[N];       /* the reply under way: the record as it was */
bit lost_reply[N];    /* … which says `lost` */
note news[N];

bit link[N] = 1;
byte waiting[N];      /* for the reply to what */
byte known_era[N] = 1;
byte known_epoch[N];
byte known_state[N];
byte doing[N];        /* what the breaker does */
byte to_tell[N];
bit to_restore[N];
byte openings = OPENINGS;
byte actions = 0;     /* bit by instance: its operator has acted */

#define by_operator(i) (to_tell[i] == FORCE || to_tell[i] == RELEASE)

/* ---- the store ---- */

inline tell_all() {
  k = 0;
  do
  :: k < N ->
     if
     :: link[k] -> news[k].here = 1; news[k].era = era; news[k].epoch = epoch; news[k].state = state
     :: LOST > 0 && link[k] -> skip /* and what was under way stays, later than this */
     :: else
     fi;
     k++
  :: else -> break
  od;
  k = 0
}

inline decided(new_state) { before = state; epoch++; state = new_state; tell_all() }

#ifdef MUTANT_EPOCH_NOT_COMPARED
#define same_epoch(r) true
#else
#define same_epoch(r) (r.epoch == epoch)
#endif
#ifdef MUTANT_LAST_ACTION_ONLY
#define has_acted(r) (last_action == r.what)
#else
#define has_acted(r) remembered[r.what]
#endif

inline run_script(r) {
  if
  :: !store -> store = 1; era++
  :: else
  fi;
  if
  :: r.what == OPENED && r.era == era && state == CLOSED && same_epoch(r) -> assert(r.epoch == epoch && r.state == state); decided(OPEN)
  :: r.what == RECOVERED && r.era == era && state == OPEN && r.epoch == epoch -> assert(r.state == state); decided(CLOSED)
  :: (r.what == FORCE || r.what == RELEASE) && r.era == era && !has_acted(r) ->
     last_action = r.what; remembered[r.what] = 1; acted[r.what]++;
     assert(acted[r.what] <= 1);
     decided((r.what == FORCE -> FORCED : CLOSED))
#ifdef MUTANT_RESTORE_LOWERS
  :: r.what == RESTORE && r.epoch != epoch ->
#else
  :: r.what == RESTORE && r.epoch > epoch ->
#endif
     assert(r.epoch >= epoch); epoch = r.epoch; state = r.state; tell_all()
#ifndef MUTANT_SAME_EPOCH_STAYS
  :: r.what == RESTORE && r.epoch == epoch && r.state != state -> epoch++; tell_all()
#endif
  :: else
  fi
}

inline no_request(r) { r.what = NONE; r.era = 0; r.epoch = 0; r.state = 0 }
inline no_note(n) { n.here = 0; n.era = 0; n.epoch = 0; n.state = 0 }

active proctype the_store() {
  byte k;
#define arrives(i) atomic { sent[i].what != NONE -> \
       lost_reply[i] = (store && sent[i].era != era && sent[i].what < SYNC); \
       run_script(sent[i]); \
       answer[i].here = 1; answer[i].era = era; answer[i].epoch = epoch; answer[i].state = state; \
       no_request(sent[i]) }
#define arrives_after_all(i) atomic { old[i].what != NONE -> run_script(old[i]); no_request(old[i]) }
  do
  :: arrives(0)
  :: arrives(1)
  :: arrives_after_all(0)
  :: arrives_after_all(1)
  :: d_step { store && losses > 0 && MAY(LOSSES) ->
       FAULT_HAPPENS; losses--; store = 0; epoch = 0; state = CLOSED; last_action = 0;
       before = CLOSED; remembered[FORCE] = 0; remembered[RELEASE] = 0; acted[FORCE] = 0; acted[RELEASE] = 0 }
  /* a replica takes over that has not got the last decision */
  :: d_step { store && epoch > 0 && MAY(FAILOVERS) -> FAULT_HAPPENS; epoch--; state = before }
  od
}

/* ---- an instance ---- */

inline put_in_force(i, new_epoch, new_state) {
  assert(new_epoch >= known_epoch[i]);
  known_epoch[i] = new_epoch;
  known_state[i] = new_state;
  /* What an operator did here and the fleet has not heard is newer than any record. */
  if
#ifndef MUTANT_RECORD_BEFORE_OPERATOR
  :: by_operator(i) -> skip
#endif
  :: else -> doing[i] = new_state; to_tell[i] = NONE
  fi
}

inline learn(i, n) {
  if
#ifdef MUTANT_FOLLOWS_ANY_RECORD
  :: n.era == known_era[i] && n.epoch != known_epoch[i] -> put_in_force(i, n.epoch, n.state)
#else
  :: n.era == known_era[i] && n.epoch > known_epoch[i] -> put_in_force(i, n.epoch, n.state)
#endif
#ifndef MUTANT_SAME_EPOCH_STAYS
  :: n.era == known_era[i] && n.epoch == known_epoch[i] && n.state != known_state[i] -> put_in_force(i, n.epoch, n.state)
#endif
#ifndef MUTANT_SMALLER_IS_PASSED_OVER
  :: n.era == known_era[i] && n.epoch < known_epoch[i] && waiting[i] != NONE -> to_restore[i] = 1
#endif
  :: else
  fi
}

/* Told and heard, or refused: now the newest record is in force, also one that came while this was under way. */
inline settle(i) {
#ifdef MUTANT_REPLY_SETTLES_NOTHING
  skip
#else
  doing[i] = known_state[i]
#endif
}

inline take_answer(i) {
  if
  :: answer[i].era != known_era[i] ->
     /* Another store: it gets what is known here before anything else is said. */
     to_restore[i] = (known_epoch[i] > 0);
     known_era[i] = answer[i].era
  :: else
  fi;
  if
  :: lost_reply[i] -> skip /* the decision has still to be told */
  :: !lost_reply[i] && waiting[i] == to_tell[i] -> to_tell[i] = NONE; learn(i, answer[i]); settle(i)
  :: else -> learn(i, answer[i])
  fi;
  waiting[i] = NONE;
  lost_reply[i] = 0;
  no_note(answer[i])
}

inline say(i, w) {
  sent[i].what = w; sent[i].era = known_era[i]; sent[i].epoch = known_epoch[i]; sent[i].state = known_state[i];
  waiting[i] = w
}

inline link_lost(i) {
  link[i] = 0;
  waiting[i] = NONE;
  lost_reply[i] = 0;
  no_note(answer[i]);
  no_note(news[i]);
  if
  :: sent[i].what != NONE && old[i].what == NONE ->
     old[i].what = sent[i].what; old[i].era = sent[i].era; old[i].epoch = sent[i].epoch; old[i].state = sent[i].state
  :: true
  fi;
  no_request(sent[i])
}

#define may_tell(i) (link[i] && waiting[i] == NONE && !to_restore[i])
#define differs(i) (!store || known_era[i] != era || known_epoch[i] != epoch || known_state[i] != state)

active [N] proctype instance() {
  byte k;
#define me (_pid - 1)
  do
  /* decisions of its own */
  :: d_step { openings > 0 && doing[me] == CLOSED && to_tell[me] == NONE && known_state[me] == CLOSED ->
       openings--; doing[me] = OPEN; to_tell[me] = OPENED }
  :: d_step { ACTIONS > me && (actions & (1 << me)) == 0 ->
       actions = actions | (1 << me); to_tell[me] = (me == 0 -> FORCE : RELEASE); doing[me] = (me == 0 -> FORCED : CLOSED) }
  :: d_step { !link[me] && doing[me] == OPEN && !by_operator(me) ->
       doing[me] = CLOSED; to_tell[me] = (known_state[me] == OPEN -> RECOVERED : NONE) }

  /* what is said */
  :: d_step { link[me] && waiting[me] == NONE && to_restore[me] -> to_restore[me] = 0; say(me, RESTORE) }
  :: d_step { may_tell(me) && to_tell[me] != NONE && known_era[me] != 0 -> say(me, to_tell[me]) }
  :: d_step { may_tell(me) && (to_tell[me] == NONE || known_era[me] == 0) && differs(me) -> say(me, SYNC) }

  /* what is heard */
  :: atomic { answer[me].here -> take_answer(me) }
  :: atomic { news[me].here -> learn(me, news[me]);
       if
       :: no_note(news[me])
       :: MAY(REPEATED) -> FAULT_HAPPENS
       fi }

  /* the link, and the end of it all */
  :: atomic { link[me] && MAY(LINKS) -> FAULT_HAPPENS; link_lost(me) }
  :: d_step { !link[me] -> link[me] = 1 }
  :: atomic { known_era[me] != 0 && MAY(CRASHES) -> FAULT_HAPPENS;
       link_lost(me);
       known_era[me] = 0; known_epoch[me] = 0; known_state[me] = CLOSED; doing[me] = CLOSED; to_tell[me] = NONE; to_restore[me] = 0 }
  od
}

#ifdef FAULTS
REST
#endif

#define agrees(i) (link[i] && known_era[i] == era && known_epoch[i] == epoch && known_state[i] == state && \
                   doing[i] == state && to_tell[i] == NONE)

/* When nothing is decided and nothing breaks any more, all agree, and stay so. */
ltl agree { <> [] (store && agrees(0) && agrees(1)) }

/* What operators did has happened, too (where nobody crashed). */
ltl heard { <> [] (acted[FORCE] == 1) }
