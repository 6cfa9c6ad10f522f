/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: one circuit, N instances that want to probe, a store that may be lost. The epoch of the circuit goes on meanwhile.
 *
 * Time is not modelled by clocks but by what it forbids (the lease-length rule): the store may let a lease expire only once the
 * instance that asked for it has stopped believing in it. Belief begins when the request is sent, and ends when the offer is not taken in time, when
 * the probe ends, or when its local lease has passed.
 *
 * A token stands for a lease: drawn afresh for each request, used again here only when nothing remembers it.
 */
#include "common.pml"

#define N 2           /* instances */
#define TOKENS 4      /* two for each instance: one in use, one of before */
#define owner(t) ((t) / 2)
#ifndef LIMIT
#define LIMIT 1       /* probes at a time */
#endif
#ifndef LAST_EPOCH
#define LAST_EPOCH 3  /* no failure or opening beyond it */
#endif

/* What an instance believes of a token. */
#define NOTHING 0
#define ASKED 1
#define OFFER 2
#define PROBE 3       /* a probe is at the upstream under this lease */
#define ISOLATED 4    /* one that nobody could tell the new store of */

/* What a `verdict` says. */
#define GOOD 1
#define BAD 2
#define NO_OUTCOME 3

byte belief[TOKENS];
bit orphan[TOKENS];   /* of a process that has crashed: nobody follows it */
bit held[TOKENS];     /* holds a slot at the store */
bit ask[TOKENS];      /* request `lease` under way, and what it carries */
byte ask_era[TOKENS];
byte ask_epoch[TOKENS];
bit granted[TOKENS];   /* its reply under way; a refusal (busy, stale, lost) comes at once */
byte verdict[TOKENS]; /* request `verdict` under way, and what it carries */
byte verdict_era[TOKENS];
byte verdict_epoch[TOKENS];
#ifdef MUTANT_LEASES_BY_EPOCH
byte held_epoch[TOKENS];
#endif

bit store = 1;        /* it exists */
byte era = 1;         /* its incarnation */
bit quarantine = 0;
byte epoch = 1;
bit open = 1;         /* and due: a probe may be had */
byte losses = LOSSES;
bit upstream_bad = 1;

bit wire[N] = 1;      /* the connection works */
bit link[N] = 1;      /* the instance believes so */
byte gate[N] = SHUT;
byte current[N];      /* the token that the gate is about, plus one */
bit waiting[N];       /* for the reply to `lease` */
byte known_era[N] = 1;
byte known_epoch[N] = 1;
bit known_open[N] = 1;

byte probes = 0;      /* at the upstream under leases */

inline count_held(n, wanted_epoch) {
  n = 0;
  k = 0;
  do
  :: k < TOKENS ->
#ifdef MUTANT_LEASES_BY_EPOCH
     if :: held[k] && held_epoch[k] == wanted_epoch -> n++ :: else fi;
#else
     if :: held[k] -> n++ :: else fi;
#endif
     k++
  :: else -> break
  od;
  k = 0
}

/* Every operation makes the store where there is none. */
inline store_made() {
  if
  :: !store ->
     store = 1;
     era++;
#ifndef MUTANT_NO_QUARANTINE
     quarantine = 1
#endif
  :: else
  fi
}

inline grant(t, wanted_epoch) {
  held[t] = 1;
#ifdef MUTANT_LEASES_BY_EPOCH
  held_epoch[t] = wanted_epoch
#endif
}

inline free_slot(t) {
  held[t] = 0;
#ifdef MUTANT_LEASES_BY_EPOCH
  held_epoch[t] = 0
#endif
}

/* ---- the script ---- */

inline script_keep(t) {
  count_held(n, epoch);
  if
  :: !held[t] && n < LIMIT -> grant(t, epoch)
  :: else
  fi;
  n = 0
}

inline keep_own(t) {
  if
#ifdef MUTANT_FORGETS_OLD_LEASES
  :: belief[t] >= OFFER && !orphan[t] && current[owner(t)] == t + 1 -> script_keep(t)
#else
  :: belief[t] >= OFFER && !orphan[t] -> script_keep(t)
#endif
  :: else
  fi
}

inline say_verdict(i, t, what) {
  verdict[t] = what;
  verdict_era[t] = known_era[i];
  verdict_epoch[t] = known_epoch[i]
}

/* The agent lets go of its lease. A probe that is out stays out: its lease is left to expire at the store. */
inline let_go(i) {
  if
  :: current[i] != 0 && belief[current[i] - 1] != PROBE -> belief[current[i] - 1] = NOTHING; granted[current[i] - 1] = 0
#ifdef MUTANT_GIVES_BACK_EARLY
  :: current[i] != 0 && belief[current[i] - 1] == PROBE -> say_verdict(i, current[i] - 1, NO_OUTCOME)
#endif
  :: else
  fi;
  current[i] = 0;
  waiting[i] = 0
}

inline apply(i) {
  let_go(i);
  known_epoch[i] = epoch;
  known_open[i] = open;
  gate[i] = (open -> SHUT : OFF)
}

/* One exchange: what is found, what is restored, what is applied. */
inline exchange(i) {
  store_made();
  if
  :: known_era[i] != era ->
#ifndef MUTANT_NO_KEEP
     keep_own(2 * i);
     keep_own(2 * i + 1);
#endif
#ifndef MUTANT_NO_RESTORE
     if
     :: known_epoch[i] > epoch -> epoch = known_epoch[i]; open = known_open[i]
     :: known_epoch[i] == epoch && epoch > 0 && known_open[i] != open -> epoch++
     :: else
     fi;
#endif
     known_era[i] = era
  :: else
  fi;
  if
  :: epoch > known_epoch[i] -> apply(i)
  :: else
  fi
}

/* How long a refusal is under way matters to nobody. */
inline refuse(t) {
  if
  :: wire[owner(t)] && current[owner(t)] == t + 1 && waiting[owner(t)] && !granted[t] ->
     belief[t] = NOTHING; current[owner(t)] = 0; waiting[owner(t)] = 0
  :: else
  fi
}

inline script_lease(t) {
  store_made();
  if
  :: ask_era[t] != era || ask_epoch[t] != epoch || !open ->
     if
     :: wire[owner(t)] && current[owner(t)] == t + 1 && waiting[owner(t)] && !granted[t] ->
        refuse(t);
        exchange(owner(t)) /* the refusal carries the record, or says that the store was lost */
     :: else
     fi
  :: else ->
     count_held(n, epoch);
     if
     :: held[t] -> granted[t] = 1
     :: !held[t] && !quarantine && n < LIMIT -> grant(t, epoch); granted[t] = 1
     :: else -> refuse(t)
     fi;
     n = 0
  fi;
  /* A reply finds nobody when the connection is gone, the request forgotten or already granteded. */
  if
  :: !wire[owner(t)] || current[owner(t)] != t + 1 || !waiting[owner(t)] -> granted[t] = 0
  :: else
  fi
}

inline script_verdict(t) {
  store_made();
  if
  :: verdict_era[t] != era -> skip
#ifdef MUTANT_VERDICT_WITHOUT_TOKEN
  :: verdict_era[t] == era ->
     k = 0;
     do
     :: k < TOKENS && !held[k] -> k++
     :: else -> break
     od;
     if :: k < TOKENS -> free_slot(k) :: else fi;
     k = 0;
#else
  :: verdict_era[t] == era && held[t] ->
     free_slot(t);
#endif
     if
     :: verdict_epoch[t] == epoch && open && verdict[t] == GOOD -> epoch++; open = 0
     :: verdict_epoch[t] == epoch && open && verdict[t] == BAD -> epoch++
     :: else
     fi
  :: else
  fi
}

/* ---- the network and the store's time, of each token ---- */

inline forget_ask(t) { ask[t] = 0; ask_era[t] = 0; ask_epoch[t] = 0 }
inline forget_verdict(t) { verdict[t] = 0; verdict_era[t] = 0; verdict_epoch[t] = 0 }

#ifdef MUTANT_EXPIRES_EARLY
#define may_expire(t) true
#elif defined(FAULTS)
/* An outcome is told faster than that, or nothing would ever come of any probe. */
#define may_expire(t) (belief[t] == NOTHING && verdict[t] == 0 && current[owner(t)] != t + 1)
#else
#define may_expire(t) (belief[t] == NOTHING)
#endif

active [TOKENS] proctype token() {
  byte k, n;
  do
  :: atomic { ask[_pid] ->
       script_lease(_pid);
       if
       :: forget_ask(_pid)
       :: MAY(REPEATED) -> FAULT_HAPPENS /* it comes again */
       fi }
  :: atomic { verdict[_pid] != 0 ->
       script_verdict(_pid);
       if
       :: forget_verdict(_pid)
       :: MAY(REPEATED) -> FAULT_HAPPENS
       fi }
  :: atomic { (ask[_pid] || verdict[_pid] != 0) && MAY(LOST) -> FAULT_HAPPENS; forget_ask(_pid); forget_verdict(_pid) }
#ifndef MUTANT_NO_EXPIRY
  :: atomic { held[_pid] && may_expire(_pid) -> free_slot(_pid) }
#endif
  /* A probe that the agent no longer follows ends, or its local lease passes. */
  :: d_step { belief[_pid] == PROBE && current[owner(_pid)] != _pid + 1 -> belief[_pid] = NOTHING; orphan[_pid] = 0; probes-- }
  :: d_step { belief[_pid] == ISOLATED -> belief[_pid] = NOTHING; orphan[_pid] = 0 }
  od
}

/*
 * A quarantine is as long as every instance with a link needs to hear of the loss and to keep its leases; who could not, has gone
 * into local mode meanwhile, and its probe counts as that of an isolated instance from then on.
 */
#define heard(i) (!link[i] || known_era[i] == era)
#define kept(t) (link[owner(t)] && !orphan[t])

active proctype time_and_fate() {
  byte k;
  do
  :: d_step { quarantine && heard(0) && heard(1) ->
       quarantine = 0;
       k = 0;
       do
       :: k < TOKENS ->
          if
          :: belief[k] == PROBE && !kept(k) -> belief[k] = ISOLATED; probes--
          :: else
          fi;
          k++
       :: else -> break
       od;
       k = 0 }
  :: d_step { store && losses > 0 && MAY(LOSSES) -> /* everything in it is gone */
       FAULT_HAPPENS;
       losses--;
       store = 0;
       quarantine = 0;
       epoch = 0;
       open = 0;
       k = 0;
       do
       :: k < TOKENS -> free_slot(k); k++
       :: else -> break
       od;
       k = 0 }
  /* an operator decides, in the middle of whatever happens */
  :: d_step { store && epoch > 0 && epoch < LAST_EPOCH && MAY(OPERATOR) -> FAULT_HAPPENS; epoch++; open = 1 - open }
#ifdef FAULTS
  :: d_step { upstream_bad -> upstream_bad = 0 }
#endif
  od
}

/* ---- an instance ---- */

#define nothing_remembers(t) (belief[t] == NOTHING && !held[t] && !ask[t] && !granted[t] && !verdict[t])

active [N] proctype instance() {
  byte k, n, t;
#ifdef FAULTS
#define upstream_may_be_well !upstream_bad
#else
#define upstream_may_be_well true
#endif
#define me (_pid - TOKENS - 1)
#define token_of (current[me] - 1)
  do
  /* exchange: only where it brings something, and after the replies that are before it on the connection */
  :: atomic { link[me] && wire[me] && (current[me] == 0 || !granted[token_of]) && (!store || known_era[me] != era || epoch > known_epoch[me]) -> exchange(me) }

  /* a rule opens the circuit */
  :: atomic { link[me] && wire[me] && store && known_era[me] == era && known_epoch[me] == epoch && !open && epoch < LAST_EPOCH && upstream_bad ->
        epoch++; open = 1; apply(me) }

  /* a lease is asked for */
  :: atomic { link[me] && known_open[me] && gate[me] == SHUT && current[me] == 0 && (nothing_remembers(2 * me) || nothing_remembers(2 * me + 1)) ->
       if
       :: nothing_remembers(2 * me) -> t = 2 * me
       :: !nothing_remembers(2 * me) && nothing_remembers(2 * me + 1) -> t = 2 * me + 1
       fi;
       current[me] = t + 1;
       waiting[me] = 1;
       belief[t] = ASKED;
      
       ask[t] = 1;
       ask_era[t] = known_era[me];
       ask_epoch[t] = known_epoch[me];
       t = 0 }
  /* its reply, in time or not */
  :: d_step { current[me] != 0 && granted[token_of] && belief[token_of] == ASKED ->
       waiting[me] = 0; granted[token_of] = 0; belief[token_of] = OFFER; gate[me] = OFFERED }
  :: d_step { current[me] != 0 && granted[token_of] && belief[token_of] == NOTHING && verdict[token_of] == 0 ->
       waiting[me] = 0;
       granted[token_of] = 0;
#ifdef MUTANT_LATE_GRANT_USED
       belief[token_of] = OFFER; gate[me] = OFFERED
#else
       say_verdict(me, token_of, NO_OUTCOME); current[me] = 0
#endif
     }
  :: d_step { current[me] != 0 && belief[token_of] == ASKED && MAY(LATE) -> FAULT_HAPPENS; belief[token_of] = NOTHING }
  /* not taken in time */
  :: d_step { gate[me] == OFFERED && verdict[token_of] == 0 && MAY(UNUSED) ->
       FAULT_HAPPENS; gate[me] = SHUT; belief[token_of] = NOTHING; say_verdict(me, token_of, NO_OUTCOME); current[me] = 0 }

  /* a call takes the offer, and ends somehow */
  :: d_step { gate[me] == OFFERED -> gate[me] = TAKEN; belief[token_of] = PROBE; probes++; assert(probes <= LIMIT) }
  :: d_step { gate[me] == TAKEN && upstream_may_be_well -> gate[me] = SUCCEEDED; belief[token_of] = NOTHING; probes-- }
  :: d_step { gate[me] == TAKEN && upstream_bad && known_epoch[me] < LAST_EPOCH ->
       gate[me] = FAILED; belief[token_of] = NOTHING; probes-- }
  :: d_step { gate[me] == TAKEN && MAY(UNUSED) ->
       FAULT_HAPPENS; gate[me] = RETURNED; belief[token_of] = NOTHING; probes-- }
  /* the agent sees the outcome */
  :: d_step { gate[me] >= SUCCEEDED && verdict[token_of] == 0 ->
       say_verdict(me, token_of, (gate[me] == SUCCEEDED -> GOOD : (gate[me] == FAILED -> BAD : NO_OUTCOME)));
       gate[me] = SHUT; current[me] = 0 }
  /* no outcome within the probe's own lease: forgotten, to expire at the store */
  :: d_step { gate[me] == TAKEN && MAY(SILENT) ->
       FAULT_HAPPENS; gate[me] = SHUT; belief[token_of] = NOTHING; probes--; current[me] = 0 }

  /* the connection breaks; the agent notices, also by a reply that does not come; it comes back */
  :: d_step { wire[me] && MAY(LINKS) ->
       FAULT_HAPPENS; wire[me] = 0;
       if :: current[me] != 0 -> granted[token_of] = 0 :: else fi }
  :: atomic { link[me] && (!wire[me] || (waiting[me] && !ask[token_of] && !granted[token_of])) ->
       let_go(me);
#ifdef MUTANT_GATE_NOT_RELEASED
       gate[me] = SHUT;
#else
       gate[me] = OFF;
#endif
       link[me] = 0; wire[me] = 0
     }
  :: atomic { !link[me] -> wire[me] = 1; link[me] = 1; exchange(me);
#ifndef MUTANT_GATE_NOT_SHUT_AGAIN
       if :: known_open[me] && gate[me] == OFF -> gate[me] = SHUT :: else fi
#endif
     }
  /* it probes by itself: only without a link */
  :: d_step { gate[me] == OFF && known_open[me] && link[me] -> assert(false) }

  /* it crashes and starts anew, knowing nothing. A probe of before may still be at the upstream. */
  :: atomic { known_era[me] != 0 && MAY(CRASHES) -> FAULT_HAPPENS;
       let_go(me);
       orphan[2 * me] = (belief[2 * me] == PROBE);
       orphan[2 * me + 1] = (belief[2 * me + 1] == PROBE);
       gate[me] = OFF; link[me] = 0; wire[me] = 0; known_era[me] = 0; known_epoch[me] = 0; known_open[me] = 0 }
  od
}

#ifdef FAULTS
REST
#endif

/* A gate is never shut where there is no link, and an instance without a connection notices. */
ltl released { [] (!link[0] -> gate[0] == OFF) && [] (!wire[0] -> <> (!link[0])) }

/* With fair links and an upstream that has recovered the fleet closes and stays closed, everywhere. */
ltl closes { <> [] (store && !open && gate[0] == OFF && gate[1] == OFF && !known_open[0] && !known_open[1] &&
                    known_epoch[0] == epoch && known_epoch[1] == epoch) }
