import { json, Router, type Request, type RequestHandler } from 'express';
import { admit, admitAll, answerRefusal, type IsOperator } from './access';
import { CUT, Faults } from './faults';
import type { PaymentRow } from './payments';
import { Refusal } from './refusal';
import type { RefundRow } from './refunds';
import { disputedIn, keyOf, paymentIn, refundIn, switchesIn, timeIn } from './requests';
import type { Sandbox } from './sandbox';

type Work = (request: Request) => Promise<unknown>;

/**
 * The sandbox's routes. Payments and refunds are for callers with the secret key; disputes and switches for operators, too;
 * an action is for those who know its address, which can't be guessed.
 */
export function sandboxRouter(sandbox: Sandbox, isOperator: IsOperator = () => false): Router {
  const router = Router();
  const body = json({ limit: '16kb' });
  addCalls(router, sandbox, [admit(sandbox, () => false), body]);
  addOperations(router, sandbox, [admit(sandbox, isOperator), body]);
  addActions(router, sandbox, admitAll(sandbox));
  router.use(() => {
    throw new Refusal(404, 'not_found', 'There is no such route.');
  });
  router.use(answerRefusal);
  return router;
}

function addCalls(router: Router, { payments, refunds, switches }: Sandbox, first: RequestHandler[]): void {
  const faults = new Faults(switches);
  const call = (work: Work) => [...first, faults.answering(work)];

  router.post(
    '/payments',
    call(async (request) => {
      const { answer, method } = await payments.create(keyOf(request), paymentIn(request.body));
      return method.losesAnswer ? CUT : answer;
    }),
  );
  router.get(
    '/payments',
    call(async ({ query }) => {
      const after = typeof query.after === 'string' ? query.after : undefined;
      const rows = await payments.list(timeIn(query.since, 'since'), after);
      return { data: rows.map(payments.view) };
    }),
  );
  router.get(
    '/payments/:id',
    call(async (request) => payments.view(await payments.get(idOf(request)))),
  );
  router.post(
    '/payments/:id/cancel',
    call(async (request) => payments.view(await payments.cancel(idOf(request)))),
  );
  router.post(
    '/refunds',
    call(async (request) => viewOfRefund(await refunds.create(keyOf(request), refundIn(request.body)))),
  );
  router.get(
    '/payments/:id/refunds',
    call(async (request) => ({ data: (await refunds.ofPayment(idOf(request))).map(viewOfRefund) })),
  );
}

/** What people do at a provider's dashboard, or at their bank; and the switches, which no other provider has. */
function addOperations(router: Router, { payments, switches }: Sandbox, first: RequestHandler[]): void {
  const operate = (work: Work): RequestHandler[] => [
    ...first,
    (request, response, next) => {
      work(request).then((answer) => response.json(answer), next);
    },
  ];

  router.get(
    '/disputes',
    operate(async () => ({ data: (await payments.disputed()).map(viewOfDispute) })),
  );
  router.post(
    '/payments/:id/dispute',
    operate(async (request) =>
      viewOfDispute(await payments.dispute(idOf(request), disputedIn(request.body))),
    ),
  );
  router.post(
    '/disputes/:id/win',
    operate(async (request) => viewOfDispute(await payments.endDispute(idOf(request), 'won'))),
  );
  router.post(
    '/disputes/:id/lose',
    operate(async (request) => viewOfDispute(await payments.endDispute(idOf(request), 'lost'))),
  );
  router.get(
    '/switches',
    operate(() => switches.read()),
  );
  router.post(
    '/switches',
    operate((request) => switches.set(switchesIn(request.body))),
  );
}

/** Where a buyer is sent by `requires_action`. */
function addActions(router: Router, { payments }: Sandbox, first: RequestHandler): void {
  router.get('/actions/:id', first, (request, response, next) => {
    payments.byAction(idOf(request)).then((payment) => response.type('html').send(pageOf(payment)), next);
  });
  router.post('/actions/:id', first, (request, response, next) => {
    payments.act(idOf(request)).then((payment) => {
      if (payment.returnUrl !== null) response.redirect(303, payment.returnUrl);
      else response.json({ status: payment.status });
    }, next);
  });
}

const idOf = ({ params }: Request) => String(params.id);

const viewOfRefund = ({ failureCode, createdAt, ...refund }: RefundRow) => ({
  ...refund,
  ...(failureCode !== null && { failure_code: failureCode }),
  created_at: createdAt.toISOString(),
});

const viewOfDispute = ({ disputeId, id, dispute, disputeAmount, currency }: PaymentRow) => ({
  id: disputeId,
  payment: id,
  status: dispute,
  amount: disputeAmount,
  currency,
});

const pageOf = ({ status, amount, currency }: PaymentRow) =>
  `<!doctype html><meta charset="utf-8"><title>Sandbox</title>
<h1>The sandbox's bank</h1>
<p>Payment of ${amount} in the minor unit of ${currency}: ${status}. No real money is taken.</p>
${status === 'requires_action' ? '<form method="post"><button>Pay</button></form>' : ''}`;
