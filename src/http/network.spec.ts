import { networkOf } from './network';

describe('networkOf', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7', ''],
    ['203.0.113.7:5678', '203.0.113.7', ''],
    ['::ffff:203.0.113.7', '203.0.113.7', ''],
    ['[::ffff:203.0.113.7]:80', '203.0.113.7', ''],
    ['2001:db8:1:2:3::4', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['[2001:DB8:1:2::4]', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['[2001:db8:1:2::4]:65535', '2001:db8:1:2::/64', '2001:db8:1::/48'],
    ['[::1]:80', '0:0:0:0::/64', '0:0:0::/48'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64', 'fe80:0:0::/48'],
  ])('of %s is %s', (text, address, site = '') =>
    expect(networkOf(text)).toEqual({ address, ...(site !== '' && { site }) }),
  );

  it.each([
    undefined,
    '',
    'unknown',
    '_hidden',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '0x1.2.3.4',
    '1.2.3.4:',
    '[::1',
    '::1]:80',
    ':::',
    '1',
    'localhost:80',
  ])('of %s, which is no address, is one and the same', (text) =>
    expect(networkOf(text)).toEqual({ address: 'unknown' }),
  );
});
