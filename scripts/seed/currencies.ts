export interface Currency {
  /** ISO 4217. */
  code: string;
  /** Of the minor unit. */
  digits: number;
  /** Roughly what a euro is. */
  perEuro: number;
}

const currency = (code: string, perEuro: number, digits = 2): Currency => ({ code, digits, perEuro });

const EUR = currency('EUR', 1);

/** By country, where prices are given in the money people have there; elsewhere events are free. */
export const CURRENCIES: Readonly<Record<string, Currency | undefined>> = {
  Netherlands: EUR,
  Belgium: EUR,
  Greece: EUR,
  Spain: EUR,
  Germany: EUR,
  Ireland: EUR,
  Finland: EUR,
  Portugal: EUR,
  France: EUR,
  Italy: EUR,
  Latvia: EUR,
  Estonia: EUR,
  Austria: EUR,
  Croatia: EUR,
  'United Kingdom': currency('GBP', 0.85),
  Switzerland: currency('CHF', 0.95),
  Denmark: currency('DKK', 7.5),
  Sweden: currency('SEK', 11),
  Norway: currency('NOK', 11.5),
  Poland: currency('PLN', 4.3),
  Czechia: currency('CZK', 25),
  Iceland: currency('ISK', 150, 0),
  'United States': currency('USD', 1.1),
  Canada: currency('CAD', 1.5),
  Mexico: currency('MXN', 20),
  Brazil: currency('BRL', 6),
  Chile: currency('CLP', 1_000, 0),
  Tunisia: currency('TND', 3.4, 3),
  'South Africa': currency('ZAR', 20),
  'United Arab Emirates': currency('AED', 4),
  India: currency('INR', 90),
  Japan: currency('JPY', 160, 0),
  'South Korea': currency('KRW', 1_500, 0),
  Singapore: currency('SGD', 1.45),
  Australia: currency('AUD', 1.65),
  'New Zealand': currency('NZD', 1.8),
};

/** In the minor unit. */
export const priceOf = (euros: number, { perEuro, digits }: Currency) =>
  Math.round(euros * perEuro * 10 ** digits);
