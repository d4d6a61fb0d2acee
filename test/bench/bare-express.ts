import express from 'express';

/** The ceiling of the platform: an Express app that parses a reservation and answers it back, and nothing else. */
const app = express();
app.use(express.json());
app.post('/tickets/', (request, response) => {
  response.status(201).json(request.body);
});
app.listen(Number(process.env.PORT), '127.0.0.1');
