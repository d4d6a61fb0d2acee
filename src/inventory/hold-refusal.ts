import { invalid, Problem, type ProblemDetails } from '../problems/problem';
import { PROBLEMS } from '../problems/catalogue';
import type { HeldOrder, HoldAnswer, HoldRequest } from './held-order';
import type { Keyed } from './kept-outcome';

/** An order that was placed, or why not. */
export function outcomeOf(answer: Keyed<HoldAnswer>, { claim, isTicket }: HoldRequest): HeldOrder | Error {
  try {
    const settled = claim ? claim.settle<HoldAnswer>(answer, answer) : answer;
    const { refusal, itemAt, least, most, retryAfter } = settled;
    return refusal === null ? settled : refused({ refusal, itemAt, least, most, retryAfter }, isTicket);
  } catch (error) {
    return error as Error;
  }
}

type Refused = Pick<HoldAnswer, 'itemAt' | 'least' | 'most' | 'retryAfter'> & {
  refusal: NonNullable<HoldAnswer['refusal']>;
};

function refused({ refusal, itemAt, least, most, retryAfter }: Refused, isTicket = false): Problem {
  const item = `/items/${itemAt ?? 0}`;
  const type = isTicket ? '/ticket_type_id' : `${item}/ticket_type_id`;
  const quantity = isTicket ? type : `${item}/quantity`;
  switch (refusal) {
    case 'quantity_not_allowed':
      return isTicket
        ? invalid(type, `is sold ${least} to ${most} at once: place an order`)
        : invalid(quantity, `must be from ${least} to ${most}`);
    case 'order_too_large':
      return invalid('/items', 'cost more than an order can');
    case 'ticket_type_required':
    case 'ticket_type_not_found':
    case 'ticket_type_not_on_sale':
      return new Problem(refusal, pointingAt(type, refusal));
    case 'ticket_type_sold_out':
      return new Problem(refusal, pointingAt(quantity, refusal));
    case 'code_not_valid':
    case 'code_used_up':
      return new Problem(refusal, pointingAt('/code', refusal));
    case 'outdated':
      return new Problem('service_unavailable', { headers: { 'Retry-After': '1' } });
    case 'hold_cool_down':
      return new Problem(refusal, { headers: { 'Retry-After': String(retryAfter) } });
    default:
      return new Problem(refusal);
  }
}

const pointingAt = (pointer: string, code: keyof typeof PROBLEMS): ProblemDetails => ({
  errors: [{ pointer, detail: PROBLEMS[code].detail }],
});
