import { Faker, en } from '@faker-js/faker';
import type { NewEvent } from '../../src/events/events.repository';
import type { NewUser } from '../../src/users/users.repository';
import { CITIES, type City } from './cities';

export interface SeedUser extends NewUser {
  id: number;
  createdAt: Date;
}

type Described =
  'title' | 'description' | 'startTime' | 'endTime' | 'venueAddress' | 'venueLatitude' | 'venueLongitude';

export interface SeedEvent extends Pick<NewEvent, Described> {
  id: number;
  /** Where it is, or its organizer. */
  country: string;
  capacity: number;
  createdAt: Date;
  /** Among those of its size, how much it is wanted; 0 to 1. */
  popularity: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const KM_PER_DEGREE = 111.2;

interface Kind {
  title(faker: Faker, city: City): string;
  venues: string[];
  capacity: [least: number, most: number];
  /** Hour of the day at which it starts, where it takes place. */
  starts: [earliest: number, latest: number];
  hours: number;
  description: string;
}

const band = (faker: Faker) =>
  `The ${capitalized(faker.word.adjective())} ${capitalized(faker.word.noun())}s`;

/** What there is to go to. */
const KINDS: Kind[] = [
  {
    title: (faker) => `${band(faker)} live`,
    venues: ['Arena', 'Music Hall', 'Ballroom', 'Warehouse', 'Jazz Club'],
    capacity: [200, 12_000],
    starts: [19, 21],
    hours: 3,
    description: 'Doors open an hour before. Support to be announced.',
  },
  {
    title: (faker, { name }) =>
      `${name} ${faker.helpers.arrayElement(['Jazz', 'Folk', 'Film', 'Food', 'Light', 'Book'])} Festival`,
    venues: ['City Park', 'Riverside', 'Old Town', 'Botanical Garden'],
    capacity: [2_000, 60_000],
    starts: [10, 14],
    hours: 10,
    description: 'One ticket, every stage. Come early, stay late, bring a coat.',
  },
  {
    title: (faker) =>
      faker.helpers.arrayElement([
        'Hamlet',
        'The Seagull',
        'Antigone',
        'Tartuffe',
        'Peer Gynt',
        'Twelfth Night',
        'Faust',
        'Lysistrata',
      ]),
    venues: ['Playhouse', 'City Theatre', 'Studio Stage', 'Open Air Theatre'],
    capacity: [80, 1_500],
    starts: [18, 20],
    hours: 3,
    description: 'With one interval. Latecomers are seated at a suitable break.',
  },
  {
    title: (faker) => `Stand-up: ${faker.person.fullName()}`,
    venues: ['Comedy Cellar', 'Backroom', 'Civic Hall'],
    capacity: [60, 900],
    starts: [19, 21],
    hours: 2,
    description: 'New material, old grudges. Not for children.',
  },
  {
    title: (faker) =>
      `${faker.helpers.arrayElement(['Sourdough', 'Watercolour', 'Pottery', 'Bicycle repair', 'Calligraphy', 'Beekeeping', 'Bookbinding'])} for beginners`,
    venues: ['Community Centre', 'Library', 'Workshop', 'Makerspace'],
    capacity: [8, 40],
    starts: [10, 17],
    hours: 3,
    description: 'All materials are provided. Aprons too.',
  },
  {
    title: (faker) => `${capitalized(faker.hacker.adjective())} ${capitalized(faker.hacker.noun())} Summit`,
    venues: ['Convention Centre', 'Trade Fair', 'University', 'Congress Hotel'],
    capacity: [150, 5_000],
    starts: [8, 10],
    hours: 8,
    description: 'Talks, workshops and the long corridor between them. Lunch is included.',
  },
  {
    title: (faker, { name }) =>
      `${name} ${faker.helpers.arrayElement(['United', 'Rovers', 'Wanderers', 'City'])} v ${faker.helpers.arrayElement(CITIES).name}`,
    venues: ['Stadium', 'Sports Ground', 'Ice Rink'],
    capacity: [1_000, 80_000],
    starts: [14, 20],
    hours: 2,
    description: 'Gates open ninety minutes before the start.',
  },
  {
    title: (faker) => `An evening with ${faker.person.fullName()}`,
    venues: ['Bookshop', 'Literature House', 'Town Hall'],
    capacity: [40, 600],
    starts: [18, 20],
    hours: 2,
    description: 'A reading and a conversation. Books can be signed afterwards.',
  },
];

/** The kinds differ in how many there are of each, the cities in how many people live there. */
const KIND_WEIGHTS = [30, 4, 15, 12, 15, 6, 8, 10];

const weighted = <Value>(values: readonly Value[], weightOf: (value: Value, index: number) => number) =>
  values.map((value, index) => ({ value, weight: weightOf(value, index) }));

const WEIGHTED_CITIES = weighted(CITIES, ({ millions }) => millions);
const WEIGHTED_KINDS = weighted(KINDS, (_, index) => KIND_WEIGHTS[index] ?? 1);

/** Invents people and events: always the same ones for the same seed and day. */
export class SeedData {
  // One source of chance for each, so that the number of the one doesn't change the other.
  private readonly forUsers: Faker;
  private readonly forEvents: Faker;

  constructor(
    seed: number,
    private readonly today: Date,
  ) {
    this.forUsers = new Faker({ locale: en, seed });
    this.forEvents = new Faker({ locale: en, seed: seed + 1 });
  }

  /** @param number makes the e-mail unique */
  user(id: number, number: number): SeedUser {
    const faker = this.forUsers;
    const [first, last] = [faker.person.firstName(), faker.person.lastName()];
    const city = faker.helpers.weightedArrayElement(WEIGHTED_CITIES);
    const hasLocation = faker.datatype.boolean(0.9);
    const { latitude, longitude } = near(faker, city, 15);
    return {
      id,
      name: `${first} ${last}`,
      email: `${first}.${last}.${number}@seed.example`.toLowerCase().replaceAll(/[^a-z0-9.@]/g, ''),
      locationAddress: hasLocation
        ? `${faker.location.streetAddress()}, ${city.name}, ${city.country}`
        : null,
      locationLatitude: hasLocation ? latitude : null,
      locationLongitude: hasLocation ? longitude : null,
      createdAt: new Date(this.today.getTime() - faker.number.int({ min: 0, max: 730 * DAY_MS })),
    };
  }

  /** An event of which no ticket is taken yet. */
  event(id: number): SeedEvent {
    const faker = this.forEvents;
    const kind = faker.helpers.weightedArrayElement(WEIGHTED_KINDS);
    const city = faker.helpers.weightedArrayElement(WEIGHTED_CITIES);
    const isOnline = faker.datatype.boolean(0.03);
    const { latitude, longitude } = near(faker, city, 6);
    const startTime = this.evening(faker, kind, city);
    const announced = startTime.getTime() - faker.number.int({ min: 14, max: 240 }) * DAY_MS;
    return {
      id,
      country: city.country,
      title: kind.title(faker, city),
      description: kind.description,
      startTime,
      endTime: new Date(startTime.getTime() + kind.hours * HOUR_MS),
      venueAddress: isOnline
        ? 'Online'
        : `${city.name} ${faker.helpers.arrayElement(kind.venues)}, ${faker.location.streetAddress()}, ${city.name}`,
      venueLatitude: isOnline ? null : latitude,
      venueLongitude: isOnline ? null : longitude,
      capacity: roundCapacity(faker, kind.capacity),
      createdAt: new Date(Math.min(announced, this.today.getTime() - DAY_MS)),
      popularity: faker.number.float() ** 2,
    };
  }

  /** A time from two months ago to ten months ahead, at the full or half hour, most often near the weekend. */
  private evening(faker: Faker, { starts: [earliest, latest] }: Kind, { longitude }: City): Date {
    const day = new Date(this.today.getTime() + faker.number.int({ min: -60, max: 300 }) * DAY_MS);
    if (day.getUTCDay() < 4 && faker.datatype.boolean(0.4))
      day.setUTCDate(day.getUTCDate() + 5 - day.getUTCDay());
    const halfHours = faker.number.int({ min: 2 * earliest, max: 2 * latest });
    const offsetHours = Math.round(longitude / 15);
    return new Date(day.getTime() + (halfHours / 2 - offsetHours) * HOUR_MS);
  }
}

/** A place in or around a city, most often near its centre. */
function near(faker: Faker, { latitude, longitude }: City, typicalKm: number) {
  const distance = -Math.log(1 - faker.number.float({ max: 0.99 })) * typicalKm;
  const direction = faker.number.float({ max: 2 * Math.PI });
  const north = (distance * Math.cos(direction)) / KM_PER_DEGREE;
  const east = (distance * Math.sin(direction)) / (KM_PER_DEGREE * Math.cos((latitude * Math.PI) / 180));
  return {
    latitude: round(latitude + north),
    // Over the date line a degree past 180 is one past -180.
    longitude: round(((((longitude + east + 180) % 360) + 360) % 360) - 180),
  };
}

/** To about a metre. */
const round = (degrees: number) => Math.round(degrees * 1e5) / 1e5;

/** Small rooms are more common than big ones. */
function roundCapacity(faker: Faker, [least, most]: [number, number]): number {
  const places = least * (most / least) ** faker.number.float();
  const step = places < 100 ? 1 : places < 1_000 ? 10 : 100;
  return Math.round(places / step) * step;
}

const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
