import cluster from 'node:cluster';
import express from 'express';

/** The ceiling of the platform: an Express app that parses a reservation and answers it back, and nothing else. */
function answer(): void {
  const app = express();
  app.use(express.json());
  app.post('/tickets/', (request, response) => {
    response.status(201).json(request.body);
  });
  app.listen(Number(process.env.PORT), '127.0.0.1');
}

const processes = Number(process.env.WEB_CONCURRENCY ?? 1);
if (cluster.isWorker || processes === 1) answer();
else for (let i = 0; i < processes; i++) cluster.fork();
